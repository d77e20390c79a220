import { checkFields, either, flag, integer, list, number, object, off, oneOf, type Rule, refuse } from '../options.ts';
import { IMAGENET, type Preprocessing, type Triple } from './preprocess.ts';
import type { Interpolation } from './resample.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Pillow's resampling filters by number, as preprocessor_config.json names them. */
const RESAMPLE: Record<number, Interpolation> = { 2: 'bilinear', 3: 'bicubic' };

/** From this side on, Hugging Face's ConvNext processor squashes instead of cropping. */
const CONVNEXT_SQUASHES_FROM = 384;

const HALF = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };
const CLIP = {
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
  size: { shortest_edge: 224 },
  crop_size: 224,
  resample: 3,
};
const SQUARE = { size: { height: 224, width: 224 }, resample: 2, ...HALF };
const SQUARE_CROP = { size: { height: 256, width: 256 }, crop_size: 224, resample: 3, ...HALF };
const MOBILE = { size: { shortest_edge: 256 }, crop_size: 224, resample: 2, ...HALF };

/** The image processors of transformers whose rule is done here, and what they take where a file does not say it. */
const PROCESSORS: Readonly<Record<string, Fields>> = {
  Beit: SQUARE_CROP,
  Bit: CLIP,
  CLIP,
  ConvNext: { size: { shortest_edge: 384 }, resample: 2, ...HALF },
  DeiT: SQUARE_CROP,
  MobileNetV1: MOBILE,
  MobileNetV2: MOBILE,
  Siglip: { ...SQUARE, resample: 3 },
  ViT: SQUARE,
};

const family = (type: unknown): string => String(type).replace(/(ImageProcessor|FeatureExtractor)(Fast|Pil)?$/, '');
const processor: Rule = [
  `that of ${Object.keys(PROCESSORS).join(', ')}`,
  (type) => Object.hasOwn(PROCESSORS, family(type)),
];

/** Fields that would change the pixels; any other `do_...` has to be off. */
const HUGGING_FACE: Readonly<Record<string, Rule>> = {
  image_processor_type: processor,
  feature_extractor_type: processor,
  do_resize: flag,
  do_center_crop: flag,
  do_rescale: flag,
  do_normalize: flag,
  do_convert_rgb: flag,
  resample: oneOf(2, 3),
  rescale_factor: number(1e-6, 1e6),
  rescale_offset: off,
  offset: off,
  include_top: off,
  keep_aspect_ratio: off,
  ensure_multiple_of: oneOf(1),
  size_divisor: oneOf(null),
  data_format: oneOf('channels_first'),
};

const TIMM: Readonly<Record<string, Rule>> = {
  crop_mode: oneOf('center', 'squash'),
  interpolation: oneOf('bilinear', 'bicubic'),
};

const SIDE = integer(1, 2 ** 14);
const BOX = either(SIDE, list(SIDE, 2), object);
const MEAN = list(number(-1e6, 1e6), 3);
const STD = list(number(1e-6, 1e6), 3);

/** The forms of the fields, of both kinds of file. */
const FORMS: Readonly<Record<string, Rule>> = {
  input_size: list(SIDE, 3),
  size: BOX,
  crop_size: BOX,
  crop_pct: number(0.01, 2),
  mean: MEAN,
  std: STD,
  image_mean: MEAN,
  image_std: STD,
};

/**
 * Reads timm's config (`pretrained_cfg`, or its fields at the top) or Hugging Face's preprocessor_config.json. What is
 * not said is at the processor's default, or at ImageNet's. Errors: `invalid-file` where a field has another form than
 * its format gives it, `unsupported-option` where it asks for a step that is not done here.
 */
export function preprocessingFrom(config: unknown, file = 'preprocessor_config.json'): Preprocessing {
  if (!isSet(config)) return IMAGENET;
  if (!isFields(config)) return refuse('invalid-file', file, 'the whole', 'an object', config);
  checkFields(file, config, { pretrained_cfg: object }, INVALID);
  const timm = (config.pretrained_cfg ?? (isSet(config.input_size) ? config : undefined)) as Fields | undefined;
  const fields = timm ?? config;
  checkFields(file, fields, timm ? TIMM : HUGGING_FACE, timm ? {} : { switches: /^do_/ });
  checkFields(file, fields, FORMS, INVALID);
  return timm ? fromTimm(timm as TimmFields, file) : fromHuggingFace(fields as HuggingFaceFields, file);
}

const INVALID = { code: 'invalid-file' } as const;

// Forms as they have been checked; null is as good as absent.

interface TimmFields {
  readonly input_size?: Triple | null;
  readonly crop_pct?: number | null;
  readonly crop_mode?: string | null;
  readonly interpolation?: Interpolation | null;
  readonly mean?: Triple | null;
  readonly std?: Triple | null;
}

type BoxField = number | readonly [number, number] | Fields;

interface HuggingFaceFields {
  readonly image_processor_type?: string | null;
  readonly feature_extractor_type?: string | null;
  readonly do_resize?: boolean | null;
  readonly do_center_crop?: boolean | null;
  readonly do_rescale?: boolean | null;
  readonly do_normalize?: boolean | null;
  readonly size?: BoxField | null;
  readonly crop_size?: BoxField | null;
  readonly crop_pct?: number | null;
  readonly resample?: number | null;
  readonly rescale_factor?: number | null;
  readonly image_mean?: Triple | null;
  readonly image_std?: Triple | null;
}

function fromTimm(cfg: TimmFields, file: string): Preprocessing {
  const [channels, height, width] = cfg.input_size ?? [3, ...IMAGENET.size];
  if (channels !== 3) refuse('unsupported-option', file, 'input_size', 'pictures of 3 channels', cfg.input_size);
  return {
    size: [height, width],
    cropPct: cfg.crop_pct ?? IMAGENET.cropPct,
    fit: cfg.crop_mode === 'squash' ? 'squash' : 'crop',
    mean: cfg.mean ?? IMAGENET.mean,
    std: cfg.std ?? IMAGENET.std,
    interpolation: cfg.interpolation ?? 'bicubic', // timm's own default, unlike torchvision's
  };
}

function fromHuggingFace(given: HuggingFaceFields, file: string): Preprocessing {
  const kind = family(given.image_processor_type ?? given.feature_extractor_type);
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => isSet(value)));
  const cfg: HuggingFaceFields = { ...PROCESSORS[kind], ...said };
  // (x factor - mean) / std of bytes x, where `preprocess` has x / 255 for x factor.
  const gain = cfg.do_rescale === false ? 255 : 255 * (cfg.rescale_factor ?? 1 / 255);
  const rescaled = ([r, g, b]: Triple): Triple =>
    Math.abs(gain - 1) < 1e-6 ? [r, g, b] : [r / gain, g / gain, b / gain];
  const raw = cfg.do_normalize === false;
  return {
    ...frameOf(cfg, kind, file),
    mean: raw ? [0, 0, 0] : rescaled(cfg.image_mean ?? IMAGENET.mean),
    std: rescaled(raw ? [1, 1, 1] : (cfg.image_std ?? IMAGENET.std)),
    interpolation: RESAMPLE[cfg.resample ?? 2]!,
  };
}

type Frame = Pick<Preprocessing, 'size' | 'cropPct' | 'fit'>;

/** How Hugging Face's processors find the frame: each family has a rule of its own. */
function frameOf(cfg: HuggingFaceFields, kind: string, file: string): Frame {
  const box = isSet(cfg.size) ? boxOf(file, 'size', cfg.size!, kind) : undefined;
  const crops = cfg.do_center_crop ?? isSet(cfg.crop_size);
  const crop = crops ? boxOf(file, 'crop_size', cfg.crop_size ?? 224, kind).sides : undefined;
  const oneSize = (name: string): never =>
    refuse('unsupported-option', file, name, 'true: all pictures have to get one size', false);
  if (cfg.do_resize === false) return crop ? { size: crop, cropPct: 1, fit: 'none' } : oneSize('do_resize');
  const { cropPct } = IMAGENET;
  if (crop) return box ? cropped(file, crop, box) : { size: crop, cropPct, fit: 'crop' };
  const share = cfg.crop_pct ?? cropPct;
  if (!box) return { size: IMAGENET.size, cropPct: share, fit: 'crop' };
  const { sides, by } = box;
  if (kind === 'ConvNext' || isSet(cfg.crop_pct)) {
    return sides[0] < CONVNEXT_SQUASHES_FROM
      ? { size: sides, cropPct: share, fit: 'crop' }
      : { size: sides, cropPct: 1, fit: 'squash' };
  }
  if (by === 'shortest_edge' && cfg.do_center_crop === false) oneSize('do_center_crop');
  // A plain number without a crop is a square to squash into: so ViT's and its kin's older files mean it.
  return { size: sides, cropPct: 1, fit: by === 'shortest_edge' ? 'crop' : 'squash' };
}

interface Box {
  sides: readonly [height: number, width: number];
  by: 'number' | 'shortest_edge' | 'both';
}

function boxOf(file: string, name: string, value: BoxField, kind: string): Box {
  if (typeof value === 'number') {
    const squashes = isSet((PROCESSORS[kind]?.size as Fields | undefined)?.height);
    return { sides: [value, value], by: squashes ? 'both' : 'number' };
  }
  if (!isFields(value)) return { sides: value, by: 'both' };
  const { shortest_edge: edge, height, width, ...others } = value;
  const where = `${file}: ${name}`;
  checkFields(where, others, { longest_edge: oneOf(null), max_height: oneOf(null), max_width: oneOf(null) });
  const given = isSet(edge) ? { shortest_edge: edge } : { height: height ?? 0, width: width ?? 0 };
  checkFields(where, given, { shortest_edge: SIDE, height: SIDE, width: SIDE }, INVALID);
  const [first, second = first] = Object.values(given) as number[];
  return { sides: [first!, second!], by: isSet(edge) ? 'shortest_edge' : 'both' };
}

/** Resize to `box`, then crop. The share is such that floor(crop / share) gives the box back, whatever the rounding. */
function cropped(file: string, crop: readonly [number, number], { sides, by }: Box): Frame {
  const fits = (pct: number): boolean => crop.every((length, d) => Math.floor(length / pct) === sides[d]);
  const exact = crop[0] / sides[0];
  const cropPct = [exact, exact * (1 - Number.EPSILON)].find(fits);
  if (cropPct === undefined)
    return refuse('unsupported-option', file, 'crop_size', `a share of size [${sides}], the same both ways,`, crop);
  return { size: crop, cropPct, fit: by === 'both' ? 'squash' : 'crop' };
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null;

const isFields = (value: unknown): value is Fields => object[1](value);
