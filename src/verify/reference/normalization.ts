import { elementCount } from '../../tensor/types.ts';
import { at, build, everywhere, moved, type RefInputs, type RefTensor } from './tensor.ts';

/**
 * (x - mean) / deviation * scale + shift, and its mass. Where the mean is large, x and the mean are much larger than
 * their difference, and rounding errors scale with them; the deviation is computed from the same differences.
 */
function normalized(x: number, mean: number, deviation: number, scale: number, shift: number) {
  const y = (x - mean) / deviation;
  const size = (Math.abs(x) + Math.abs(mean)) / deviation;
  return { value: y * scale + shift, mass: size * (1 + Math.abs(y)) * Math.abs(scale) + Math.abs(shift) };
}

function meanAndDeviation(list: readonly number[], epsilon: number): [number, number] {
  const mean = list.reduce((sum, x) => sum + x, 0) / list.length;
  const variance = list.reduce((sum, x) => sum + (x - mean) ** 2, 0) / list.length;
  return [mean, Math.sqrt(variance + epsilon)];
}

/** Statistics over `axes`, all but the first where absent; scale and bias have the shape of those axes. */
export function layerNormalization(
  { input, scale, bias }: RefInputs,
  { axes, epsilon = 1e-5 }: { axes?: readonly number[]; epsilon?: number },
): RefTensor {
  const { shape, dataType } = input!;
  const over = (axes ?? shape.map((_, d) => d).slice(1)).map((axis) => (axis < 0 ? axis + shape.length : axis));
  const extents = over.map((d) => shape[d]!);
  return build(
    dataType,
    shape,
    (index) => {
      const list = everywhere(extents).map((to) => at(input!, moved(index, over, to)));
      const column = over.map((d) => index[d]!);
      return normalized(
        at(input!, index),
        ...meanAndDeviation(list, epsilon),
        scale ? at(scale, column) : 1,
        bias ? at(bias, column) : 0,
      );
    },
    elementCount(extents),
  );
}

/** x / sqrt(mean of squares over `axes` + epsilon) * scale. */
export function rmsNormalization(
  { input, scale }: RefInputs,
  { axes, epsilon = 1e-5 }: { axes?: readonly number[]; epsilon?: number },
): RefTensor {
  const { shape, dataType } = input!;
  const over = (axes ?? shape.map((_, d) => d).slice(1)).map((axis) => (axis < 0 ? axis + shape.length : axis));
  const extents = over.map((d) => shape[d]!);
  return build(
    dataType,
    shape,
    (index) => {
      const list = everywhere(extents).map((to) => at(input!, moved(index, over, to)));
      const root = Math.sqrt(list.reduce((sum, x) => sum + x * x, 0) / list.length + epsilon);
      const factor = scale
        ? at(
            scale,
            over.map((d) => index[d]!),
          )
        : 1; // prettier-ignore
      const value = (at(input!, index) / root) * factor;
      return { value, mass: Math.abs(value) };
    },
    elementCount(extents),
  );
}

/** Mean and variance are inputs: [channels of `axis`]. */
export function batchNormalization(
  inputs: RefInputs,
  { axis = 1, epsilon = 1e-5 }: { axis?: number; epsilon?: number },
): RefTensor {
  const { input, mean, variance, scale, bias } = inputs;
  return build(input!.dataType, input!.shape, (index) => {
    const channel = index.at(axis)!;
    const deviation = Math.sqrt(variance!.data[channel]! + epsilon);
    return normalized(
      at(input!, index),
      mean!.data[channel]!,
      deviation,
      scale?.data[channel] ?? 1,
      bias?.data[channel] ?? 0,
    );
  });
}

/** Statistics over the pixels of each channel of each image; scale and bias per channel. */
export function instanceNormalization(
  { input, scale, bias }: RefInputs,
  { epsilon = 1e-5, layout = 'nchw' }: { epsilon?: number; layout?: string },
): RefTensor {
  const { shape, dataType } = input!;
  const over = layout === 'nchw' ? [2, 3] : [1, 2];
  const extents = over.map((d) => shape[d]!);
  return build(
    dataType,
    shape,
    (index) => {
      const list = everywhere(extents).map((to) => at(input!, moved(index, over, to)));
      const channel = index[layout.indexOf('c')]!;
      return normalized(
        at(input!, index),
        ...meanAndDeviation(list, epsilon),
        scale?.data[channel] ?? 1,
        bias?.data[channel] ?? 0,
      );
    },
    elementCount(extents),
  );
}

export const references = { layerNormalization, rmsNormalization, batchNormalization, instanceNormalization };
