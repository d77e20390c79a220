import type { ParamValues } from '../gpu/wgsl.ts';
import { type Operand, type Operands, opError, type Rewriter, type Shape } from './define.ts';

export type ImageLayout = 'nchw' | 'nhwc';

/** WebNN's options of a window that slides over an image. */
export interface WindowOptions {
  /** Top, bottom, left, right. */
  padding?: readonly number[];
  strides?: readonly number[];
  dilations?: readonly number[];
}

export const WINDOW_OPTIONS = ['padding', 'strides', 'dilations'] as const;

/** A transpose from nchw to nhwc, and back. */
export const toNhwc = (add: Rewriter['add'], input: Operand): Operand =>
  add('transpose', { input }, { permutation: [0, 2, 3, 1] });
export const toNchw = (add: Rewriter['add'], input: Operand): Operand =>
  add('transpose', { input }, { permutation: [0, 3, 1, 2] });

/**
 * Operands of a convolution as its kernels take them, and its result as it was: `input` and `residual` from
 * `inputLayout` to nhwc, `filter` from `filterLayout` to hwio.
 */
export function channelsLast(
  inputs: Operands,
  { inputLayout, filterLayout }: { inputLayout: ImageLayout; filterLayout: string },
  add: Rewriter['add'],
): { operands: Record<'input' | 'filter', Operand> & Operands; back: (result: Operand) => Operand } {
  const { input, filter, residual } = inputs;
  const swap = inputLayout === 'nchw';
  const turned = (image: Operand): Operand => (swap ? toNhwc(add, image) : image);
  const permutation = [...'hwio'].map((axis) => filterLayout.indexOf(axis));
  return {
    operands: {
      ...inputs,
      input: turned(input!),
      filter: add('transpose', { input: filter! }, { permutation }),
      ...(residual && { residual: turned(residual) }),
    },
    back: (result) => (swap ? toNchw(add, result) : result),
  };
}

export interface Image {
  n: number;
  h: number;
  w: number;
  c: number;
}

/** The sizes of an image of rank 4. */
export function imageOf(shape: Shape, layout: ImageLayout): Image {
  const [n, x, y, z] = shape as [number, number, number, number];
  return layout === 'nchw' ? { n, c: x, h: y, w: z } : { n, h: x, w: y, c: z };
}

export const imageShape = ({ n, h, w, c }: Image, layout: ImageLayout): number[] =>
  layout === 'nchw' ? [n, c, h, w] : [n, h, w, c];

/** Checks a list of `length` integers, each `least` or more. */
export const needIntegers = (
  op: string,
  name: string,
  list: readonly number[],
  length: number,
  least: number,
): readonly number[] => {
  if (list.length !== length || !list.every((value) => Number.isInteger(value) && value >= least)) {
    throw opError(
      'invalid-argument',
      op,
      `${name} needs ${length} integers of ${least} or more, got [${list.join(',')}]`,
    );
  }
  return list;
};

/** Size of the output and the fields of `Window` (shaders/lib/window.wgsl) for an image of h × w. */
export function slide(
  op: string,
  { h, w }: { h: number; w: number },
  kernel: readonly [number, number],
  { padding = [0, 0, 0, 0], strides = [1, 1], dilations = [1, 1] }: WindowOptions,
  rounding: 'floor' | 'ceil' = 'floor',
): { h: number; w: number; params: ParamValues } {
  const [top, bottom, left, right] = needIntegers(op, 'padding', padding, 4, 0) as [number, number, number, number];
  const [sy, sx] = needIntegers(op, 'strides', strides, 2, 1) as [number, number];
  const [dy, dx] = needIntegers(op, 'dilations', dilations, 2, 1) as [number, number];
  const extent = (
    size: number,
    before: number,
    after: number,
    window: number,
    stride: number,
    dilation: number,
  ): number => {
    const reach = (window - 1) * dilation + 1;
    const room = size + before + after - reach;
    if (room < 0)
      throw opError(
        'wrong-shape',
        op,
        `the window reaches over ${reach}, the padded input has ${size + before + after}`,
      );
    return Math[rounding](room / stride) + 1;
  };
  const outH = extent(h, top, bottom, kernel[0], sy, dy);
  const outW = extent(w, left, right, kernel[1], sx, dx);
  return {
    h: outH,
    w: outW,
    params: {
      in_h: h,
      in_w: w,
      out_h: outH,
      out_w: outW,
      kernel_h: kernel[0],
      kernel_w: kernel[1],
      stride_h: sy,
      stride_w: sx,
      pad_top: top,
      pad_left: left,
      dilation_h: dy,
      dilation_w: dx,
    }, // prettier-ignore
  };
}
