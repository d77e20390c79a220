import { TilewrightError } from '../errors.ts';
import { IMAGENET, type Preprocessing, type Triple } from './preprocess.ts';
import type { Interpolation } from './resample.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Pillow's resampling filters by number, as preprocessor_config.json names them. */
const RESAMPLE: Record<string, Interpolation> = { 2: 'bilinear', 3: 'bicubic' };

/** From this side on, Hugging Face's ConvNext processor squashes instead of cropping. */
const CONVNEXT_SQUASHES_FROM = 384;

/**
 * Reads timm's config (`pretrained_cfg`, or its fields at the top) or Hugging Face's preprocessor_config.json.
 * What is not said is taken from ImageNet's defaults. `invalid-file` when a field has another form than its format
 * gives it, or asks for a step that is not done here.
 */
export function preprocessingFrom(config: unknown): Preprocessing {
  if (config === undefined || config === null) return IMAGENET;
  const fields = object(config, 'the configuration');
  if (isSet(fields.pretrained_cfg)) return fromTimm(object(fields.pretrained_cfg, 'pretrained_cfg'));
  return isSet(fields.input_size) ? fromTimm(fields) : fromHuggingFace(fields);
}

function fromTimm(cfg: Fields): Preprocessing {
  const [channels, height, width] = triple(cfg.input_size, 'input_size', [3, ...IMAGENET.size]);
  if (channels !== 3) refuse('input_size', 'pictures of 3 channels', cfg.input_size);
  const mode = cfg.crop_mode ?? 'center';
  if (mode !== 'center' && mode !== 'squash') refuse('crop_mode', 'center or squash', mode);
  const interpolation = cfg.interpolation ?? 'bicubic'; // timm's own default, unlike torchvision's
  if (interpolation !== 'bilinear' && interpolation !== 'bicubic') {
    refuse('interpolation', 'bilinear or bicubic', interpolation);
  }
  return {
    size: [side(height, 'input_size'), side(width, 'input_size')],
    cropPct: share(cfg.crop_pct, 'crop_pct'),
    fit: mode === 'squash' ? 'squash' : 'crop',
    mean: triple(cfg.mean, 'mean', IMAGENET.mean),
    std: triple(cfg.std, 'std', IMAGENET.std),
    interpolation,
  };
}

function fromHuggingFace(cfg: Fields): Preprocessing {
  const factor = cfg.rescale_factor ?? 1 / 255;
  if (cfg.do_rescale === false || typeof factor !== 'number' || !(Math.abs(factor * 255 - 1) < 1e-6)) {
    refuse('rescale_factor', '1/255', cfg.do_rescale === false ? 'no rescaling' : factor);
  }
  const interpolation = RESAMPLE[String(cfg.resample ?? 2)];
  if (!interpolation) refuse('resample', '2 (bilinear) or 3 (bicubic)', cfg.resample);
  const normalised = cfg.do_normalize !== false;
  return {
    ...frameOf(cfg),
    mean: normalised ? triple(cfg.image_mean, 'image_mean', IMAGENET.mean) : [0, 0, 0],
    std: normalised ? triple(cfg.image_std, 'image_std', IMAGENET.std) : [1, 1, 1],
    interpolation,
  };
}

/** How Hugging Face's processors find the frame: each family has a rule of its own. */
function frameOf(cfg: Fields): Pick<Preprocessing, 'size' | 'cropPct' | 'fit'> {
  const { size, cropPct } = IMAGENET;
  const box = isSet(cfg.size) ? boxOf(cfg.size, 'size') : undefined;
  if (isSet(cfg.crop_size) && cfg.do_center_crop !== false) {
    const { sides: crop } = boxOf(cfg.crop_size, 'crop_size');
    return box ? cropped(crop, box) : { size: crop, cropPct, fit: 'crop' };
  }
  if (!box) return { size, cropPct: share(cfg.crop_pct, 'crop_pct'), fit: 'crop' };
  const kind = String(cfg.image_processor_type ?? cfg.feature_extractor_type);
  if (isSet(cfg.crop_pct) || kind.startsWith('ConvNext')) {
    return box.sides[0] < CONVNEXT_SQUASHES_FROM
      ? { size: box.sides, cropPct: share(cfg.crop_pct, 'crop_pct'), fit: 'crop' }
      : { size: box.sides, cropPct: 1, fit: 'squash' };
  }
  // A plain number without a crop is a square to squash into: so ViT's and its kin's older files mean it.
  return { size: box.sides, cropPct: 1, fit: box.by === 'shortest_edge' ? 'crop' : 'squash' };
}

interface Box {
  sides: [height: number, width: number];
  by: 'number' | 'shortest_edge' | 'both';
}

function boxOf(value: unknown, name: string): Box {
  if (typeof value === 'number') return { sides: [side(value, name), side(value, name)], by: 'number' };
  const { shortest_edge: edge, height, width } = object(value, name);
  return isSet(edge)
    ? { sides: [side(edge, name), side(edge, name)], by: 'shortest_edge' }
    : { sides: [side(height, name), side(width, name)], by: 'both' };
}

/** Resize to `box`, then crop. The share is such that floor(crop / share) gives the box back, whatever the rounding. */
function cropped(crop: [number, number], { sides, by }: Box): Pick<Preprocessing, 'size' | 'cropPct' | 'fit'> {
  const fits = (pct: number): boolean => crop.every((length, d) => Math.floor(length / pct) === sides[d]);
  const exact = crop[0] / sides[0];
  const cropPct = [exact, exact * (1 - Number.EPSILON)].find(fits);
  if (cropPct === undefined) return refuse('crop_size', `a share of size [${sides}], the same both ways,`, crop);
  return { size: crop, cropPct, fit: by === 'both' ? 'squash' : 'crop' };
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null;

function refuse(name: string, expected: string, got: unknown): never {
  throw new TilewrightError('invalid-file', `preprocessing: ${name}: expected ${expected}, got ${JSON.stringify(got)}`);
}

function object(value: unknown, name: string): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : refuse(name, 'an object', value);
}

function side(value: unknown, name: string): number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0
    ? value
    : refuse(name, 'positive integers', value);
}

function share(value: unknown, name: string): number {
  if (!isSet(value)) return IMAGENET.cropPct;
  return typeof value === 'number' && value > 0 && value <= 2 ? value : refuse(name, 'a share of 1', value);
}

function triple(value: unknown, name: string, otherwise: Triple): Triple {
  if (!isSet(value)) return otherwise;
  const whole = Array.isArray(value) && value.length === 3 && value.every(Number.isFinite);
  return whole ? (value as unknown as Triple) : refuse(name, 'three numbers', value);
}
