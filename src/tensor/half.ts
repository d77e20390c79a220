import { type DataType, type TensorData, typedArray } from './types.ts';

const scratch = new DataView(new ArrayBuffer(4));

/** float32 to float16 bits, rounded to nearest even; overflow becomes infinity (IEEE 754-2019, section 7.4). */
export function toHalf(x: number): number {
  scratch.setFloat32(0, x);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction ? 0x200 : 0);
  const e = exponent - 112;
  if (e >= 31) return sign | 0x7c00;
  if (e > 0) return sign | ((((e << 23) | fraction) + 0xfff + ((fraction >>> 13) & 1)) >>> 13);
  if (e < -10) return sign;
  const shift = 14 - e; // subnormal: the implicit one becomes explicit
  const whole = fraction | 0x800000;
  const half = 1 << (shift - 1);
  return sign | ((whole + half - 1 + ((whole >>> shift) & 1)) >>> shift);
}

/** float16 bits to a number, exactly. */
export function fromHalf(h: number): number {
  const sign = h & 0x8000 ? -1 : 1;
  const exponent = (h >>> 10) & 31;
  const fraction = h & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
}

/** Plain numbers in the typed array of a data type. */
export function arrayOf(dataType: DataType, values: readonly (number | bigint)[]): TensorData {
  const data = typedArray(dataType, values.length);
  values.forEach((value, i) => {
    data[i] = dataType === 'float16' ? toHalf(Number(value)) : Number(value);
  });
  return data;
}
