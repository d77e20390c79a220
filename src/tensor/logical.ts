import { TilewrightError } from '../errors.ts';
import { misfit } from './conversions.ts';
import {
  type DataType,
  elementCount,
  formatTensor,
  type HostData,
  type LogicalType,
  type TensorData,
  type TensorDescriptor,
  typedArray,
} from './types.ts';

interface Logical {
  /** The type that stands for it on the device. */
  readonly device: DataType;
  /** The numbers that it and the device both hold. */
  readonly range: readonly [number, number];
  readonly Type: BigInt64ArrayConstructor | BigUint64ArrayConstructor | Uint8ArrayConstructor;
}

const LOGICAL: Readonly<Record<LogicalType, Logical>> = {
  int64: { device: 'int32', range: [-(2 ** 31), 2 ** 31 - 1], Type: BigInt64Array },
  uint64: { device: 'uint32', range: [0, 2 ** 32 - 1], Type: BigUint64Array },
  int4: { device: 'int8', range: [-8, 7], Type: Uint8Array },
  uint4: { device: 'uint8', range: [0, 15], Type: Uint8Array },
};

/** A type that the device lacks; undefined for the others. */
export const logical = (dataType: string): Logical | undefined => LOGICAL[dataType as LogicalType];

/** Whether it has two numbers a byte. */
export const isNibble = (dataType: string): boolean => logical(dataType)?.Type === Uint8Array;

/** The numbers of bytes: two each, the first in the low half. */
const unpacked = (bytes: Uint8Array, signed: boolean, count: number): number[] =>
  Array.from({ length: count }, (_, i) => {
    const nibble = (bytes[i >> 1]! >> (4 * (i & 1))) & 15;
    return signed ? (nibble << 28) >> 28 : nibble;
  });

function packed(numbers: TensorData): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(numbers.length / 2));
  numbers.forEach((value, i) => {
    bytes[i >> 1]! |= (value & 15) << (4 * (i & 1));
  });
  return bytes;
}

/**
 * Numbers of a logical type in the type of the device. They are given in the array of their type, or as plain numbers.
 * Errors: `wrong-type`, `wrong-shape`; `unsupported-type` for a number that does not fit.
 */
export function toDevice(
  what: string,
  tensor: TensorDescriptor,
  data: HostData | readonly number[] | readonly bigint[],
): TensorData {
  const {
    device,
    range: [low, high],
    Type,
  } = logical(tensor.dataType)!;
  if (ArrayBuffer.isView(data) && !(data instanceof Type))
    throw new TilewrightError(
      'wrong-type',
      `${what}: expected ${Type.name} for ${formatTensor(tensor)}, got ${data.constructor.name}`,
    );
  const count = elementCount(tensor.shape);
  const packs = data instanceof Uint8Array;
  const length = packs ? Math.ceil(count / 2) : count;
  if (data.length !== length)
    throw new TilewrightError(
      'wrong-shape',
      `${what}: expected ${length} ${packs ? 'bytes' : 'elements'} for ${formatTensor(tensor)}, got ${data.length}`,
    );
  const values = packs ? unpacked(data, device === 'int8', count) : data;
  const numbers = typedArray(device, count);
  for (let i = 0; i < count; i++) {
    const value = Number(values[i]);
    if (!(Number.isInteger(value) && value >= low && value <= high))
      throw Type === Uint8Array
        ? new TilewrightError(
            'invalid-argument',
            `${what}: ${values[i]} is not ${tensor.dataType}: a whole number from ${low} to ${high}`,
          )
        : misfit(what, tensor.dataType, values[i]!, device);
    numbers[i] = value;
  }
  return numbers;
}

/** Numbers from the device, in the array of their logical type. */
export function fromDevice(dataType: DataType, data: TensorData): HostData {
  const { Type } = logical(dataType)!;
  if (Type === Uint8Array) return packed(data);
  const wide = new Type(data.length);
  data.forEach((value, i) => {
    wide[i] = BigInt(value);
  });
  return wide;
}
