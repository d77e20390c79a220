import { stridesOf } from '../../tensor/types.ts';
import { type EpilogueOptions, finish, scaleOf } from './matmul.ts';
import { build, type RefInputs, type RefTensor } from './tensor.ts';

export interface Conv2dOptions extends EpilogueOptions {
  padding?: readonly number[];
  strides?: readonly number[];
  dilations?: readonly number[];
  groups?: number;
  inputLayout?: 'nchw' | 'nhwc';
  filterLayout?: string;
}

/** Strides by the letter of their axis. */
const stridesBy = (layout: string, shape: readonly number[]): Record<string, number> =>
  Object.fromEntries(stridesOf(shape).map((stride, d) => [layout[d]!, stride]));

export function conv2d(inputs: RefInputs, options: Conv2dOptions): RefTensor {
  const { padding = [0, 0, 0, 0], strides = [1, 1], dilations = [1, 1], groups = 1 } = options;
  const { inputLayout = 'nchw', filterLayout = 'oihw' } = options;
  const { input, filter } = inputs as Record<'input' | 'filter', RefTensor>;
  const size = (axis: string): number => input.shape[inputLayout.indexOf(axis)]!;
  const [height, width] = [size('h'), size('w')];
  const [o, i, kh, kw] = [...'oihw'].map((axis) => filter.shape[filterLayout.indexOf(axis)]!) as [
    number,
    number,
    number,
    number,
  ];
  const [s, t] = [stridesBy(inputLayout, input.shape), stridesBy(filterLayout, filter.shape)] as [
    Record<string, number>,
    Record<string, number>,
  ];
  const outOf = (extent: number, before: number, after: number, window: number, d: number): number =>
    Math.floor((extent + before + after - (window - 1) * dilations[d]! - 1) / strides[d]!) + 1;
  const scale = scaleOf(inputs, o, i, 'kn');
  const sizes: Record<string, number> = {
    n: size('n'),
    c: o,
    h: outOf(height, padding[0]!, padding[1]!, kh, 0),
    w: outOf(width, padding[2]!, padding[3]!, kw, 1),
  };
  return build(
    input.dataType,
    [...inputLayout].map((axis) => sizes[axis]!),
    (index) => {
      const [n, column, y, x] = [...'nchw'].map((axis) => index[inputLayout.indexOf(axis)]!) as [
        number,
        number,
        number,
        number,
      ];
      const group = Math.floor(column / (o / groups));
      let value = 0;
      let mass = 0;
      for (let ky = 0; ky < kh; ky++) {
        for (let kx = 0; kx < kw; kx++) {
          const h = y * strides[0]! + ky * dilations[0]! - padding[0]!;
          const w = x * strides[1]! + kx * dilations[1]! - padding[2]!;
          if (h < 0 || h >= height || w < 0 || w >= width) continue;
          for (let channel = 0; channel < i; channel++) {
            const pixel = n * s.n! + (group * i + channel) * s.c! + h * s.h! + w * s.w!;
            const tap = column * t.o! + channel * t.i! + ky * t.h! + kx * t.w!;
            const product = input.data[pixel]! * filter.data[tap]! * scale(column, channel);
            value += product;
            mass += Math.abs(product);
          }
        }
      }
      return finish({ value, mass }, column, index, inputs, options);
    },
    i * kh * kw,
  );
}

export const references = { conv2d };
