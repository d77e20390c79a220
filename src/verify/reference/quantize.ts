import { fromHalf } from '../../tensor/half.ts';
import { type DataType, elementCount, stridesOf } from '../../tensor/types.ts';
import { build, coordinates, type RefInputs, type RefTensor } from './tensor.ts';

/** The number of the block in which an element lies: along each axis, the scales share its elements evenly. */
function blockOf(shape: readonly number[], scale: readonly number[], index: readonly number[]): number {
  const before = shape.length - scale.length;
  const block = scale.map((count, d) => Math.floor((index[before + d]! * count) / shape[before + d]!));
  return stridesOf(scale).reduce((sum, stride, d) => sum + stride * block[d]!, 0);
}

/** max |x| / levels of each block; 1 where all are zero. */
export function quantizeScales(
  { input }: RefInputs,
  { newShape, levels = 127 }: { newShape: readonly number[]; levels?: number },
): RefTensor {
  const { shape, data } = input!;
  const top = new Float64Array(elementCount(newShape));
  data.forEach((x, i) => {
    const block = blockOf(shape, newShape, coordinates(shape, i));
    top[block] = Math.max(top[block]!, Math.abs(x));
  });
  return { dataType: 'float32', shape: newShape, data: top.map((x) => x / levels || 1) };
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
 * round(x / scale) + zeroPoint within the type. The float32 quotient may be off by 2.5 ulps (WGSL), so near a half the other neighbour
 * is right too; not where the scale is a power of two: such quotients are exact.
 */
export function quantizeLinear({ input, scale, zeroPoint }: RefInputs, options: { dataType?: DataType }): RefTensor {
  const dataType = zeroPoint?.dataType ?? options.dataType ?? 'int8';
  const [low, high] = RANGES[dataType]!;
  const { shape, data } = input!;
  const either = new Float64Array(data.length);
  const rounded = data.map((x, i) => {
    const block = blockOf(shape, scale!.shape, coordinates(shape, i));
    const step = scale!.data[block]!;
    const within = (whole: number): number => Math.min(Math.max(whole + (zeroPoint?.data[block] ?? 0), low), high) + 0; // no -0
    const quotient = x / step;
    const nearest = roundEven(quotient);
    const half = Math.floor(quotient) + 0.5;
    const unsure =
      Math.abs(quotient - half) <= 3 * 2 ** -23 * Math.abs(quotient) && !Number.isInteger(Math.log2(Math.abs(step)));
    either[i] = within(unsure ? 2 * half - nearest : nearest);
    return within(nearest);
  });
  return { dataType, shape, data: rounded, either };
}

/** (x - zeroPoint) * scale. */
export const dequantizeLinear = ({ input, scale, zeroPoint }: RefInputs): RefTensor =>
  build(scale!.dataType, input!.shape, (index) => {
    const block = blockOf(input!.shape, scale!.shape, index);
    const x = input!.data[blockOf(input!.shape, input!.shape, index)]!;
    return (x - (zeroPoint?.data[block] ?? 0)) * scale!.data[block]!;
  });

/** Two 16-bit floats out of each uint32, the low half first. */
export function widen(
  { input }: RefInputs,
  { from, newShape }: { from: 'float16' | 'bfloat16'; newShape: readonly number[] },
): RefTensor {
  const view = new DataView(new ArrayBuffer(4));
  const bitsAt = (i: number): number => Math.floor(input!.data[i >> 1]! / (i % 2 ? 65536 : 1)) % 65536;
  const value = (bits: number): number => {
    if (from === 'float16') return fromHalf(bits);
    view.setUint32(0, bits * 65536);
    return view.getFloat32(0);
  };
  return {
    dataType: 'float32',
    shape: newShape,
    data: Float64Array.from({ length: elementCount(newShape) }, (_, i) => value(bitsAt(i))),
  };
}
