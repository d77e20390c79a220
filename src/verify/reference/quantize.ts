import { type DataType, elementCount } from '../../tensor/types.ts';
import { at, build, everywhere, placeOf, type RefInputs, type RefTensor, retyped } from './tensor.ts';

/** The index of the scale of an element. Along each axis the scales share the elements evenly. */
function blockOf(shape: readonly number[], scale: readonly number[], index: readonly number[]): number {
  const before = shape.length - scale.length;
  return placeOf(
    scale,
    scale.map((count, d) => Math.floor((index[before + d]! * count) / shape[before + d]!)),
  );
}

/** max |x| / levels of each block; 1 where all elements are zero, NaN where one is NaN. */
export function quantizeScales(
  { input }: RefInputs,
  { newShape, levels = 127 }: { newShape: readonly number[]; levels?: number },
): RefTensor {
  const sizes = input!.shape.map((size, d) => size / newShape[d]!);
  const within = everywhere(sizes);
  const largest = (block: readonly number[]): number =>
    within.reduce(
      (top, to) =>
        Math.max(
          top,
          Math.abs(
            at(
              input!,
              to.map((i, d) => block[d]! * sizes[d]! + i),
            ),
          ),
        ),
      0,
    ); // prettier-ignore
  const scale = (top: number): number => (top === 0 ? 1 : top / levels);
  return build('float32', newShape, (block) => scale(largest(block)), 1, elementCount(sizes));
}

const RANGES: Partial<Record<DataType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int32: [-(2 ** 31), 2 ** 31 - 1],
};

/** To the nearest whole number, of two the even one. */
function roundEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 ? below + 1 : below;
}

/**
 * round(x / scale) + zeroPoint within the type. WGSL's float32 quotient may be off by 2.5 ulps, so near a half both
 * neighbours are right. A scale that is a power of two gives exact quotients: then one is.
 */
export function quantizeLinear({ input, scale, zeroPoint }: RefInputs, options: { dataType?: DataType }): RefTensor {
  const dataType = zeroPoint?.dataType ?? options.dataType ?? 'int8';
  const [low, high] = RANGES[dataType]!;
  return build(dataType, input!.shape, (index) => {
    const block = blockOf(input!.shape, scale!.shape, index);
    const step = scale!.data[block]!;
    const within = (whole: number): number => Math.min(Math.max(whole + (zeroPoint?.data[block] ?? 0), low), high) + 0; // no -0
    const quotient = at(input!, index) / step;
    const nearest = roundEven(quotient);
    const half = Math.floor(quotient) + 0.5;
    const unsure =
      Math.abs(quotient - half) <= 3 * 2 ** -23 * Math.abs(quotient) && !Number.isInteger(Math.log2(Math.abs(step)));
    return { value: within(nearest), either: within(unsure ? 2 * half - nearest : nearest) };
  });
}

/** (x - zeroPoint) * scale. */
export const dequantizeLinear = ({ input, scale, zeroPoint }: RefInputs): RefTensor =>
  build(scale!.dataType, input!.shape, (index) => {
    const block = blockOf(input!.shape, scale!.shape, index);
    return (at(input!, index) - (zeroPoint?.data[block] ?? 0)) * scale!.data[block]!;
  });

/** The same numbers. */
export const packInt4 = ({ input }: RefInputs): RefTensor => retyped(input!, 'int4x8');

export const unpackInt4 = ({ input }: RefInputs): RefTensor => retyped(input!, 'int8');

export const references = { quantizeScales, quantizeLinear, dequantizeLinear, packInt4, unpackInt4 };
