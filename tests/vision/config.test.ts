import { describe, expect, it } from 'vitest';
import { preprocessingFrom } from '../../src/vision/config.ts';
import { IMAGENET, preprocess } from '../../src/vision/preprocess.ts';

const mean = [0.5, 0.4, 0.3];
const std = [0.1, 0.2, 0.3];

/** The short side (or both sides, squashed) that preprocess resizes to. */
const resizedTo = (config: unknown): number => {
  const { size, cropPct } = preprocessingFrom(config);
  return Math.floor(size[0] / cropPct);
};

describe('preprocessingFrom, timm', () => {
  it('reads pretrained_cfg', () => {
    const pretrained_cfg = { input_size: [3, 32, 40], mean, std, interpolation: 'bilinear', crop_pct: 1 };
    const expected = { size: [32, 40], cropPct: 1, fit: 'crop', mean, std, interpolation: 'bilinear' };
    expect(preprocessingFrom({ architecture: 'resnet20', pretrained_cfg })).toEqual(expected);
    expect(preprocessingFrom(pretrained_cfg)).toEqual(expected);
  });

  it("fills in timm's defaults", () => {
    expect(preprocessingFrom({ pretrained_cfg: {} })).toEqual({ ...IMAGENET, fit: 'crop', interpolation: 'bicubic' });
  });

  it('knows crop_mode squash', () => {
    expect(preprocessingFrom({ pretrained_cfg: { crop_mode: 'squash' } }).fit).toBe('squash');
  });
});

describe('preprocessingFrom, Hugging Face', () => {
  it('reads a ConvNext processor below 384 as microsoft/resnet-50 has it: resize to size / crop_pct, then crop', () => {
    const resnet = {
      crop_pct: 0.875,
      do_normalize: true,
      do_resize: true,
      feature_extractor_type: 'ConvNextFeatureExtractor',
      image_mean: mean,
      image_std: std,
      resample: 3,
      size: 224,
    };
    const expected = { size: [224, 224], cropPct: 0.875, fit: 'crop', mean, std, interpolation: 'bicubic' };
    expect(preprocessingFrom(resnet)).toEqual(expected);
    const newer = { ...resnet, feature_extractor_type: undefined, image_processor_type: 'ConvNextImageProcessor' };
    expect(preprocessingFrom({ ...newer, crop_pct: null, size: { shortest_edge: 224 } })).toEqual(expected);
  });

  it('squashes a ConvNext processor from 384 on', () => {
    const config = preprocessingFrom({ crop_pct: 0.875, size: { shortest_edge: 384 } });
    expect(config).toMatchObject({ size: [384, 384], cropPct: 1, fit: 'squash' });
  });

  it('resizes the short side and crops where crop_size says so', () => {
    const config = { size: { shortest_edge: 256 }, crop_size: { height: 224, width: 224 }, do_center_crop: true };
    expect(preprocessingFrom(config)).toMatchObject({ size: [224, 224], cropPct: 0.875, fit: 'crop' });
    expect(preprocessingFrom({ size: 256, crop_size: 224 })).toMatchObject({ cropPct: 0.875, fit: 'crop' });
    expect(preprocessingFrom({ ...config, size: { height: 256, width: 256 } }).fit).toBe('squash');
  });

  it('gives every resize size back exactly', () => {
    for (let crop = 1; crop < 300; crop += 7) {
      for (let edge = 1; edge < 400; edge++) {
        const got = resizedTo({ size: { shortest_edge: edge }, crop_size: crop });
        if (got !== edge) expect.fail(`crop ${crop} of ${edge}: resized to ${got}`);
      }
    }
  });

  it('squashes into a height and a width, and into a bare number', () => {
    const box = preprocessingFrom({ size: { height: 200, width: 100 }, resample: 2 });
    expect(box).toMatchObject({ size: [200, 100], cropPct: 1, fit: 'squash', interpolation: 'bilinear' });
    expect(preprocessingFrom({ size: 224 })).toMatchObject({ size: [224, 224], cropPct: 1, fit: 'squash' });
    expect(preprocessingFrom({ size: 224, crop_size: 100, do_center_crop: false }).size).toEqual([224, 224]);
  });

  it('crops a short side without a crop size to a square', () => {
    expect(preprocessingFrom({ size: { shortest_edge: 96 } })).toMatchObject({
      size: [96, 96],
      cropPct: 1,
      fit: 'crop',
    });
  });

  it('leaves values in [0, 1] without do_normalize', () => {
    expect(preprocessingFrom({ do_normalize: false, image_mean: mean })).toMatchObject({
      mean: [0, 0, 0],
      std: [1, 1, 1],
    });
  });

  it.each([undefined, null])("takes ImageNet's defaults for %s", (config) => {
    expect(preprocessingFrom(config)).toEqual(IMAGENET);
  });

  it("takes ImageNet's defaults for a config that says nothing of pictures", () => {
    expect(preprocessingFrom({ model_type: 'resnet' })).toEqual({ ...IMAGENET, fit: 'crop' });
  });
});

describe('bug 9: what a preprocessor file says is done', () => {
  const picture = {
    width: 8,
    height: 8,
    data: Uint8Array.from({ length: 256 }, (_, i) => (i % 4 === 3 ? 255 : i)),
  };
  const reds = (config: Record<string, unknown>, count: number): number[] =>
    [...preprocess([picture], preprocessingFrom(config)).subarray(0, count)].map((x) => Math.round(x * 1000) / 1000);
  const bare = { do_resize: false, do_center_crop: true, crop_size: 4, do_normalize: false };

  it('do_resize: false crops the picture as it is', () => {
    const config = { ...bare, size: { shortest_edge: 6 } };
    expect(reds(config, 4)).toEqual([72, 76, 80, 84].map((byte) => Math.round((byte / 255) * 1000) / 1000));
    expect(reds({ ...config, do_resize: true }, 2)).toEqual([0.212, 0.232]);
  });

  it('do_rescale: false leaves bytes, and rescale_factor and normalisation are as they are written', () => {
    expect(reds({ ...bare, do_rescale: false }, 4)).toEqual([72, 76, 80, 84]);
    expect(reds({ ...bare, rescale_factor: 0.5 }, 2)).toEqual([36, 38]);
    const normalised = { ...bare, do_normalize: true, image_mean: [40, 0, 0], image_std: [2, 1, 1] };
    expect(reds({ ...normalised, do_rescale: false }, 2)).toEqual([16, 18]);
  });

  it('do_center_crop: true without crop_size crops to 224, as in transformers', () => {
    const config = preprocessingFrom({ do_center_crop: true, size: { shortest_edge: 256 } });
    expect(config).toMatchObject({ size: [224, 224], cropPct: 0.875, fit: 'crop' });
  });

  it("takes the processor's defaults for what is not written", () => {
    const half = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
    const of = (type: string, more = {}) =>
      preprocessingFrom({ image_processor_type: `${type}ImageProcessor`, ...more });
    expect(of('ViT')).toEqual({ size: [224, 224], cropPct: 1, fit: 'squash', interpolation: 'bilinear', ...half });
    expect(of('ConvNext')).toMatchObject({ size: [384, 384], fit: 'squash', ...half });
    expect(of('Bit')).toMatchObject({ size: [224, 224], cropPct: 1, fit: 'crop', interpolation: 'bicubic' });
    expect(of('DeiT', { size: 256 })).toMatchObject({ size: [224, 224], cropPct: 0.875, fit: 'squash' });
    expect(of('CLIP', { size: 256 })).toMatchObject({ size: [224, 224], cropPct: 0.875, fit: 'crop' });
  });

  it('lets pass what changes nothing', () => {
    const published = {
      ...{ data_format: 'channels_first', default_to_square: false, device: null, disable_grouping: null },
      ...{
        do_convert_rgb: true,
        do_pad: null,
        do_flip_channel_order: false,
        image_processor_type: 'CLIPImageProcessorFast',
      },
      ...{ input_data_format: null, pad_size: null, processor_class: 'CLIPProcessor', return_tensors: null },
    };
    expect(preprocessingFrom({ ...published, size: { shortest_edge: 224, longest_edge: null } })).toBeTruthy();
  });
});

describe('bug 9: preprocessingFrom refuses', () => {
  const refusal = (code: string, message: string) =>
    expect.objectContaining({ code, message: expect.stringContaining(`preprocessor_config.json: ${message}`) });

  it.each([
    [{ image_mean: [0.5] }, 'image_mean: expected a list of 3, each a number'],
    [{ image_std: [1, 'a', 2] }, 'image_std'],
    [{ image_std: [1, 0, 2] }, 'image_std'],
    [{ size: -1 }, 'size'],
    [{ size: 0 }, 'size'],
    [{ size: 1e9 }, 'size'],
    [{ size: { shortest_edge: 2.5 } }, 'size: shortest_edge: expected an integer from 1 to 16384, got 2.5'],
    [{ size: { height: 20 } }, 'size: width'],
    [{ crop_pct: 0 }, 'crop_pct'],
    [{ crop_pct: '0.9' }, 'crop_pct'],
    [{ input_size: [28, 28] }, 'input_size'],
    [{ input_size: [3, 28.5, 28] }, 'input_size'],
    [{ pretrained_cfg: { std: [0, 1, 1] } }, 'std'],
    [{ pretrained_cfg: 7 }, 'pretrained_cfg'],
    ['resnet', 'the whole: expected an object, got "resnet"'],
  ])('%o', (config, message) => {
    expect(() => preprocessingFrom(config)).toThrow(refusal('invalid-file', message));
  });

  it.each([
    [{ resample: 1 }, 'resample: expected 2 or 3, got 1'],
    [{ do_resize: false, size: 224 }, 'do_resize'],
    [{ do_center_crop: false, size: { shortest_edge: 224 } }, 'do_center_crop'],
    [{ do_flip_channel_order: true }, 'do_flip_channel_order: expected false, got true'],
    [{ do_anything_else: true }, 'do_anything_else'],
    [{ rescale_offset: true }, 'rescale_offset'],
    [{ include_top: true }, 'include_top'],
    [{ image_processor_type: 'LevitImageProcessor' }, 'image_processor_type'],
    [{ size: { longest_edge: 224 } }, 'size: longest_edge'],
    [{ size: { shortest_edge: 224, longest_edge: 300 } }, 'size: longest_edge'],
    [{ size: { height: 200, width: 100 }, crop_size: 100 }, 'crop_size'],
    [{ input_size: [1, 28, 28] }, 'input_size: expected pictures of 3 channels, got [1,28,28]'],
    [
      { pretrained_cfg: { interpolation: 'lanczos' } },
      'interpolation: expected "bilinear" or "bicubic", got "lanczos"',
    ],
    [{ pretrained_cfg: { crop_mode: 'border' } }, 'crop_mode'],
  ])('%o, which is not done', (config, message) => {
    expect(() => preprocessingFrom(config)).toThrow(refusal('unsupported-option', message));
  });
});
