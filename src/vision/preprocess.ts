import { TilewrightError } from '../errors.ts';
import { arrayOf, shown } from '../options.ts';
import { type Interpolation, reach, type Tap, taps } from './resample.ts';

/** A decoded picture: RGBA, 8 bits a channel, alpha not premultiplied, rows from the top. An ImageData is one. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and alpha of each pixel: `[height, width, 4]`. */
  readonly data: Uint8ClampedArray | Uint8Array;
}

/** A number for red, for green and for blue. */
export type Triple = readonly [number, number, number];

/** How a model wants its pictures: resized, cropped in the centre, then (x / 255 - mean) / std. */
export interface Preprocessing {
  /** Height and width of the model's input. */
  readonly size: readonly [height: number, width: number];
  /** The share of the resized picture's side that the crop keeps: pictures are resized to floor(size / cropPct). */
  readonly cropPct: number;
  /**
   * `crop` (the default) keeps the aspect ratio and matches the short side; `squash` matches both sides; `none` crops
   * without a resize.
   */
  readonly fit?: 'crop' | 'squash' | 'none';
  /** Of each channel, from 0 to 1. */
  readonly mean: Triple;
  readonly std: Triple;
  readonly interpolation: Interpolation;
}

/** What torchvision's ImageNet weights were trained with. */
export const IMAGENET: Preprocessing = {
  size: [224, 224],
  cropPct: 0.875,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  interpolation: 'bilinear',
};

const CHANNELS = 3;

/** Byte to [0, 1] in float32, as torchvision's to_tensor does it. */
const UNIT = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** float32 NCHW, [N,3,H,W], from N pictures of any size. Transparency is laid over white. */
export function preprocess(pictures: readonly Picture[], preprocessing: Preprocessing): Float32Array {
  const [height, width] = checkedSize(preprocessing);
  const each = CHANNELS * height * width;
  const out = new Float32Array(pictures.length * each);
  pictures.forEach((picture, n) => {
    checkPicture(picture, n);
    preprocessOne(picture, preprocessing, out.subarray(n * each, (n + 1) * each));
  });
  return out;
}

function preprocessOne(picture: Picture, preprocessing: Preprocessing, out: Float32Array): void {
  const { size, mean, std } = preprocessing;
  const [height, width] = size;
  const { rows, columns } = crossings(picture, preprocessing);
  const [firstRow, endRow] = reach(rows);
  const lines = resampleLines(picture, columns, firstRow, endRow);

  const sum = new Float64Array(width);
  for (let c = 0; c < CHANNELS; c++) {
    const shift = Math.fround(mean[c]!);
    const scale = Math.fround(std[c]!);
    const plane = c * (endRow - firstRow);
    rows.forEach(({ first, weights }, y) => {
      sum.fill(0);
      for (let t = 0; t < weights.length; t++) {
        const line = (plane + first - firstRow + t) * width;
        for (let x = 0; x < width; x++) sum[x]! += weights[t]! * lines[line + x]!;
      }
      // Rounded after each step, so that an unresampled picture equals PyTorch's to the bit.
      const at = (c * height + y) * width;
      for (let x = 0; x < width; x++) out[at + x] = Math.fround(Math.fround(sum[x]!) - shift) / scale;
    });
  }
}

/** What the rows and the columns of the model's input are made of, of a picture of this size. */
export function crossings(
  picture: Pick<Picture, 'width' | 'height'>,
  preprocessing: Preprocessing,
): { readonly rows: readonly Tap[]; readonly columns: readonly Tap[] } {
  const { size, interpolation } = preprocessing;
  const [height, width] = size;
  const [tall, wide] = resizedSize(picture, preprocessing);
  return {
    rows: taps(picture.height, tall, cropOffset(tall, height), height, interpolation),
    columns: taps(picture.width, wide, cropOffset(wide, width), width, interpolation),
  };
}

/** Rows `firstRow` to `endRow` of the picture, resampled along x only: planar [3, endRow - firstRow, columns]. */
function resampleLines(picture: Picture, columns: readonly Tap[], firstRow: number, endRow: number): Float32Array {
  const { width, data } = picture;
  const [left, right] = reach(columns);
  const line = Array.from({ length: CHANNELS }, () => new Float32Array(width));
  const out = new Float32Array(CHANNELS * (endRow - firstRow) * columns.length);
  for (let y = firstRow; y < endRow; y++) {
    for (let x = left; x < right; x++) {
      const pixel = (y * width + x) * 4;
      const alpha = UNIT[data[pixel + 3]!]!;
      for (let c = 0; c < CHANNELS; c++) line[c]![x] = UNIT[data[pixel + c]!]! * alpha + (1 - alpha);
    }
    for (let c = 0; c < CHANNELS; c++) {
      const source = line[c]!;
      const at = (c * (endRow - firstRow) + y - firstRow) * columns.length;
      columns.forEach(({ first, weights }, x) => {
        let sum = 0;
        for (let t = 0; t < weights.length; t++) sum += weights[t]! * source[first + t]!;
        out[at + x] = sum;
      });
    }
  }
  return out;
}

/** Height and width after the resize: one side matches the box exactly, the other is truncated as torchvision does. */
function resizedSize(
  { width, height }: Pick<Picture, 'width' | 'height'>,
  { size, cropPct, fit }: Preprocessing,
): [number, number] {
  const [boxHeight, boxWidth] = [Math.floor(size[0] / cropPct), Math.floor(size[1] / cropPct)];
  if (fit === 'none') return [height, width];
  if (fit === 'squash') return [boxHeight, boxWidth];
  return height * boxWidth <= width * boxHeight
    ? [boxHeight, Math.floor((boxHeight * width) / height)]
    : [Math.floor((boxWidth * height) / width), boxWidth];
}

/** Where a centred crop starts. Halves go to even, as Python rounds; a side too short is padded, less of it before. */
function cropOffset(resized: number, crop: number): number {
  if (crop > resized) return -Math.floor((crop - resized) / 2);
  const half = (resized - crop) / 2;
  const down = Math.floor(half);
  return half - down === 0.5 ? down + (down % 2) : down;
}

export function checkedSize({ size, cropPct, std }: Preprocessing): readonly [number, number] {
  const box = size.map((side) => Math.floor(side / cropPct));
  if (!size.every((side) => Number.isInteger(side) && side > 0) || !box.every((side) => side >= 1 && side < 2 ** 20)) {
    throw new TilewrightError(
      'invalid-argument',
      `preprocess: expected a size of two positive integers and a cropPct above 0, got [${size}] and ${cropPct}`,
    );
  }
  if (!std.every((deviation) => deviation > 0)) {
    throw new TilewrightError('invalid-argument', `preprocess: expected a std above 0, got [${std}]`);
  }
  return size;
}

const BYTES = arrayOf('Uint8ClampedArray', 'Uint8Array');

function checkPicture({ width, height, data }: Picture, n: number): void {
  const bytes = BYTES[1](data);
  const positive = [width, height].every((side) => Number.isInteger(side) && side > 0);
  if (bytes && positive && data.length === width * height * 4) return;
  throw new TilewrightError(
    'invalid-image',
    `picture ${n} is ${shown(width)}x${shown(height)}, its data ${bytes ? `${data.length} bytes` : shown(data)}: expected bytes, width * height * 4 (RGBA, 0 to 255)`,
    { hint: 'Give a Uint8ClampedArray or Uint8Array, as an ImageData of pixelFormat rgba-unorm8 has it.' },
  );
}
