import { at, build, placeOf, type RefInputs, type RefTensor, retyped } from './tensor.ts';

interface Pool2dOptions {
  windowDimensions?: readonly number[];
  padding?: readonly number[];
  strides?: readonly number[];
  dilations?: readonly number[];
  layout?: 'nchw' | 'nhwc';
  roundingType?: 'floor' | 'ceil';
  outputSizes?: readonly number[];
  includePadding?: boolean;
  p?: number;
}

type Kind = 'max' | 'average' | 'l2' | 'lp' | 'place';

/** The first of the largest; NaN is the largest of all. */
const firstLargest = (list: readonly number[]): number => {
  const nan = list.findIndex(Number.isNaN);
  return nan < 0 ? list.indexOf(Math.max(...list)) : nan;
};

/**
 * Padding takes no part: not in the maximum, and not in the count that an average divides by, unless `includePadding`
 * says so. `place`: of the maximum in the input.
 */
export const pool2d =
  (kind: Kind) =>
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
        const places: number[] = [];
        let padded = 0;
        for (let ky = 0; ky < window[0]!; ky++) {
          for (let kx = 0; kx < window[1]!; kx++) {
            const h = index[axes.indexOf('h')]! * strides[0]! + ky * dilations[0]! - padding[0]!;
            const w = index[axes.indexOf('w')]! * strides[1]! + kx * dilations[1]! - padding[2]!;
            if (h < extents[0]! + padding[1]! && w < extents[1]! + padding[3]!) padded++;
            if (h < 0 || h >= extents[0]! || w < 0 || w >= extents[1]!) continue;
            const place = axes.map((axis, d) => (axis === 'h' ? h : axis === 'w' ? w : index[d]!));
            taken.push(at(input!, place));
            places.push(placeOf(input!.shape, place));
          }
        }
        if (kind === 'max') return Math.max(...taken);
        if (kind === 'place') return places[firstLargest(taken)] ?? 0;
        const total = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
        const p = options.p ?? 2;
        if (kind !== 'average') return total(taken.map((x) => Math.abs(x) ** p)) ** (1 / p);
        const count = options.includePadding ? padded : taken.length;
        return { value: total(taken) / count, mass: total(taken.map(Math.abs)) / count };
      },
      window[0]! * window[1]!,
    );
  };

const maxPool2dWithIndices = (
  inputs: RefInputs,
  { outputDataType = 'int32', ...options }: Pool2dOptions & { outputDataType?: 'int32' | 'int64' },
): readonly RefTensor[] => [pool2d('max')(inputs, options), retyped(pool2d('place')(inputs, options), outputDataType)];

export const references = {
  maxPool2d: pool2d('max'),
  averagePool2d: pool2d('average'),
  l2Pool2d: pool2d('l2'),
  lpPool2d: pool2d('lp'),
  maxPool2dWithIndices,
};
