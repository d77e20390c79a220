import { at, build, type RefInputs, type RefTensor } from './tensor.ts';

interface Pool2dOptions {
  windowDimensions?: readonly number[];
  padding?: readonly number[];
  strides?: readonly number[];
  dilations?: readonly number[];
  layout?: 'nchw' | 'nhwc';
  roundingType?: 'floor' | 'ceil';
  outputSizes?: readonly number[];
}

/** Padding takes no part: not in the maximum, and not in the count that an average divides by. */
export const pool2d =
  (kind: 'max' | 'average') =>
  ({ input }: RefInputs, options: Pool2dOptions): RefTensor => {
    const {
      padding = [0, 0, 0, 0],
      strides = [1, 1],
      dilations = [1, 1],
      layout = 'nchw',
      roundingType = 'floor',
    } = options;
    const axes = [...layout];
    const size = (axis: string): number => input!.shape[axes.indexOf(axis)]!;
    const extents = [size('h'), size('w')];
    const window = options.windowDimensions ?? extents;
    const out =
      options.outputSizes ??
      extents.map((extent, d) => {
        const room = extent + padding[2 * d]! + padding[2 * d + 1]! - (window[d]! - 1) * dilations[d]! - 1;
        return Math[roundingType](room / strides[d]!) + 1;
      });
    const sizes: Record<string, number> = { n: size('n'), c: size('c'), h: out[0]!, w: out[1]! };
    const shape = axes.map((axis) => sizes[axis]!);
    return build(
      input!.dataType,
      shape,
      (index) => {
        const taken: number[] = [];
        for (let ky = 0; ky < window[0]!; ky++) {
          for (let kx = 0; kx < window[1]!; kx++) {
            const h = index[axes.indexOf('h')]! * strides[0]! + ky * dilations[0]! - padding[0]!;
            const w = index[axes.indexOf('w')]! * strides[1]! + kx * dilations[1]! - padding[2]!;
            if (h < 0 || h >= extents[0]! || w < 0 || w >= extents[1]!) continue;
            taken.push(
              at(
                input!,
                axes.map((axis, d) => (axis === 'h' ? h : axis === 'w' ? w : index[d]!)),
              ),
            );
          }
        }
        if (kind === 'max') return Math.max(...taken);
        const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / taken.length;
        return { value: sum(taken), mass: sum(taken.map(Math.abs)) };
      },
      window[0]! * window[1]!,
    );
  };

export const references = { maxPool2d: pool2d('max'), averagePool2d: pool2d('average') };
