import { IMAGENET, type Picture, type Preprocessing, preprocess } from '../vision/preprocess.ts';
import type { GraphValue } from './nodes.ts';

/** An input of a graph that takes pictures. */
export interface PictureInput {
  readonly name: string;
  readonly type: string;
  readonly layout: 'nchw' | 'nhwc';
  readonly channels: 1 | 3;
  /** Undefined where any number of them goes in at a time. */
  readonly batch: number | undefined;
  /** Undefined where the model takes any. */
  readonly height: number | undefined;
  readonly width: number | undefined;
}

const RAW = { cropPct: 1, interpolation: 'bilinear' } as const;

/** How a model wants its pictures, by name: what a file of tensors does not say. */
export const PREPROCESSING: Readonly<Record<string, Omit<Preprocessing, 'size'>>> = {
  imagenet: { ...RAW, cropPct: IMAGENET.cropPct, mean: IMAGENET.mean, std: IMAGENET.std },
  /** From 0 to 1. */
  unit: { ...RAW, mean: [0, 0, 0], std: [1, 1, 1] },
  /** From -1 to 1. */
  signed: { ...RAW, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  /** From 0 to 255. */
  bytes: { ...RAW, mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] },
};

const TYPES = ['float', 'float16', 'double', 'uint8'];

/** Whether an input has the form of pictures: four dimensions, one of them of one or three channels. */
export function pictureInput(
  { name, type, dims }: GraphValue,
  known: Readonly<Record<string, number>> = {},
): PictureInput | undefined {
  if (dims?.length !== 4 || !TYPES.includes(type)) return undefined;
  const [batch, ...sizes] = dims.map((size) => (typeof size === 'number' ? size : known[size]));
  const isChannels = (size: number | undefined): size is 1 | 3 => size === 1 || size === 3;
  const [first, second, last] = sizes;
  if (isChannels(first)) return { name, type, layout: 'nchw', channels: first, batch, height: second, width: last };
  if (isChannels(last)) return { name, type, layout: 'nhwc', channels: last, batch, height: first, width: second };
  return undefined;
}

/** Parts of red, green and blue in a grey: ITU-R BT.601, as Pillow has it. */
const GREY = [0.299, 0.587, 0.114] as const;

/** Pictures as an input takes them. */
export function pictureTensor(
  { type, layout, channels }: PictureInput,
  pictures: readonly Picture[],
  preprocessing: Preprocessing,
): { dims: readonly number[]; data: Float32Array | Uint8Array } {
  const [height, width] = preprocessing.size;
  const area = height * width;
  const planes = preprocess(pictures, preprocessing);
  const at = (n: number, c: number, i: number): number =>
    channels === 3
      ? planes[(3 * n + c) * area + i]!
      : GREY.reduce((sum, part, rgb) => sum + part * planes[(3 * n + rgb) * area + i]!, 0);
  const count = pictures.length * channels * area;
  const data = type === 'uint8' ? new Uint8ClampedArray(count) : new Float32Array(count);
  for (let n = 0, k = 0; n < pictures.length; n++)
    if (layout === 'nchw') for (let c = 0; c < channels; c++) for (let i = 0; i < area; i++) data[k++] = at(n, c, i);
    else for (let i = 0; i < area; i++) for (let c = 0; c < channels; c++) data[k++] = at(n, c, i);
  const dims = layout === 'nchw' ? [channels, height, width] : [height, width, channels];
  return {
    dims: [pictures.length, ...dims],
    data: data instanceof Float32Array ? data : new Uint8Array(data.buffer),
  };
}
