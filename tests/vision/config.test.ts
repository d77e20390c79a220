import { describe, expect, it } from 'vitest';
import { preprocessingFrom } from '../../src/vision/config.ts';
import { IMAGENET } from '../../src/vision/preprocess.ts';

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

describe('preprocessingFrom refuses', () => {
  it.each([
    [{ image_mean: [0.5] }, 'image_mean: expected three numbers, got [0.5]'],
    [{ image_std: [1, 'a', 2] }, 'image_std'],
    [{ resample: 1 }, 'resample: expected 2 (bilinear) or 3 (bicubic), got 1'],
    [{ rescale_factor: 1 / 127.5 }, 'rescale_factor: expected 1/255'],
    [{ do_rescale: false }, 'rescale_factor'],
    [{ size: { longest_edge: 224 } }, 'size: expected positive integers'],
    [{ size: -1 }, 'size'],
    [{ size: [224, 224] }, 'size: expected an object'],
    [{ crop_pct: 0 }, 'crop_pct'],
    [{ crop_pct: '0.9' }, 'crop_pct'],
    [{ size: { height: 200, width: 100 }, crop_size: 100 }, 'crop_size'],
    [{ input_size: [1, 28, 28] }, 'input_size: expected pictures of 3 channels, got [1,28,28]'],
    [{ input_size: [28, 28] }, 'input_size'],
    [{ input_size: [3, 28.5, 28] }, 'input_size'],
    [{ pretrained_cfg: { interpolation: 'lanczos' } }, 'interpolation'],
    [{ pretrained_cfg: { crop_mode: 'border' } }, 'crop_mode'],
    [{ pretrained_cfg: 7 }, 'pretrained_cfg'],
    ['resnet', 'the configuration'],
  ])('%o', (config, message) => {
    const refusal = expect.objectContaining({ code: 'invalid-file', message: expect.stringContaining(message) });
    expect(() => preprocessingFrom(config)).toThrow(refusal);
  });
});
