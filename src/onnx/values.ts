import { TilewrightError } from '../errors.ts';
import type { OnnxTensor, OnnxType } from '../formats/onnx-model.ts';
import type { Operand } from '../graph/ir.ts';
import { fromHalf, toHalf } from '../tensor/half.ts';
import { type DataType, elementCount, type TensorData, typedArray } from '../tensor/types.ts';

/** A number of a tensor: bigint for int64 and uint64, 0 and 1 for bool. */
export type Scalar = number | bigint | string;

/** Elements of a tensor that the host computes with, at the most. */
export const MOST_KNOWN = 4096;

/** Integers that a tensor of floats was scaled back from: (numbers - zero) · scale. */
export interface Quantised {
  readonly numbers: Tensor;
  readonly scale: Tensor;
  readonly zero: Tensor | undefined;
  /** The axis of scales and zero points, where there are several. */
  readonly axis: number;
}

/** A tensor of a graph: its numbers are known on the host, in the file, or only on the device. */
export interface Tensor {
  readonly kind: 'tensor';
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly known?: readonly Scalar[] | undefined;
  readonly file?: OnnxTensor | undefined;
  operand?: Operand | undefined;
  /** Of a tensor that is 1 at one place of each line along the last axis, else 0: those places, [lines..]; outside where there is none. */
  readonly ones?: Operand | undefined;
  /** Products take these instead of the floats. */
  readonly quantised?: Quantised | undefined;
}

export interface Sequence {
  readonly kind: 'sequence';
  readonly items: readonly Value[];
}

/** An optional value that is not there. */
export interface Nothing {
  readonly kind: 'nothing';
}

export type Value = Tensor | Sequence | Nothing;

export const NOTHING: Nothing = { kind: 'nothing' };

/** A tensor on the device. Its type in the graph is `operand.dataType`. */
export const onDevice = (operand: Operand, type: OnnxType): Tensor => ({
  kind: 'tensor',
  type,
  shape: operand.shape,
  operand,
});

/** A tensor of known numbers, rounded or wrapped to its type. */
export const known = (type: OnnxType, shape: readonly number[], values: readonly Scalar[]): Tensor => ({
  kind: 'tensor',
  type,
  shape,
  known: values.map((value) => wrap(type, value)),
});

/** How a type is computed in: on the device, and in memory of the host. */
interface TypeOf {
  readonly device: DataType;
  /** Bits of an integer, negative where it has a sign. */
  readonly bits?: number;
  readonly float?: true;
}

const TYPES: Partial<Record<OnnxType, TypeOf>> = {
  float: { device: 'float32', float: true },
  float16: { device: 'float16', float: true },
  bfloat16: { device: 'float32', float: true },
  double: { device: 'float32', float: true },
  int64: { device: 'int32', bits: -64 },
  uint64: { device: 'uint32', bits: 64 },
  int32: { device: 'int32', bits: -32 },
  uint32: { device: 'uint32', bits: 32 },
  int16: { device: 'int32', bits: -16 },
  uint16: { device: 'uint32', bits: 16 },
  int8: { device: 'int8', bits: -8 },
  uint8: { device: 'uint8', bits: 8 },
  bool: { device: 'uint8', bits: 1 },
  int4: { device: 'int8', bits: -4 },
  uint4: { device: 'uint8', bits: 4 },
};

/** Error: `unsupported-type`. */
export function typeOf(type: OnnxType, what: string): TypeOf {
  const found = TYPES[type];
  if (!found)
    throw new TilewrightError('unsupported-type', `${what} is of the type ${type}, which is not computed here`);
  return found;
}

export const isFloating = (type: OnnxType): boolean => TYPES[type]?.float === true;
export const isSigned = (type: OnnxType): boolean => isFloating(type) || (TYPES[type]?.bits ?? 0) < 0;
export const isWide = (type: OnnxType): boolean => type === 'int64' || type === 'uint64';
export const isKnownType = (type: OnnxType): boolean => TYPES[type] !== undefined || type === 'string';

/** A number as its type holds it. Floats are cut to their precision, integers wrap around. */
export function wrap(type: OnnxType, value: Scalar): Scalar {
  if (type === 'string' || typeof value === 'string') return String(value);
  const { bits = 0, float } = TYPES[type] ?? {};
  if (float) {
    const number = Number(value);
    if (type === 'double') return number;
    return type === 'float16' ? fromHalf(toHalf(number)) : Math.fround(number);
  }
  if (type === 'bool') return value ? 1 : 0;
  if (typeof value === 'number' && Math.abs(bits) <= 32 && Math.abs(value) < 2 ** 53) {
    const low = Math.trunc(value) % 2 ** 32; // the low 32 bits: shifts take no more
    if (Math.abs(bits) === 32) return bits < 0 ? low | 0 : low >>> 0;
    const shift = 32 - Math.abs(bits);
    return bits < 0 ? (low << shift) >> shift : (low << shift) >>> shift;
  }
  const whole = typeof value === 'bigint' ? value : BigInt(Number.isFinite(value) ? Math.trunc(value) : 0);
  const size = Math.abs(bits);
  const wrapped = bits < 0 ? BigInt.asIntN(size, whole) : BigInt.asUintN(size, whole);
  return size === 64 ? wrapped : Number(wrapped);
}

/** Known numbers in the type that the device has for theirs. Error: `unsupported-type` for one of more than 32 bits. */
export function toDevice(
  what: string,
  { type, shape }: Pick<Tensor, 'type' | 'shape'>,
  values: readonly Scalar[],
  device: DataType,
): TensorData {
  const data = typedArray(device, elementCount(shape));
  const [low, high] = isWide(type) ? (device === 'int32' ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1]) : [0, 0];
  values.forEach((value, i) => {
    const number = Number(value);
    if (isWide(type) && !(number >= low && number <= high))
      throw new TilewrightError('unsupported-type', `${what}: the ${type} value ${value} does not fit ${device}`, {
        hint: 'The GPU has no 64-bit integers: give smaller values.',
      });
    if (type === 'double' && Number.isFinite(number) && !Number.isFinite(Math.fround(number)))
      throw new TilewrightError('unsupported-type', `${what}: the double value ${value} does not fit float32`);
    data[i] = device === 'float16' ? toHalf(number) : number;
  });
  return data;
}

const wordsOf = (bytes: Uint8Array, size: number): ArrayBuffer =>
  bytes.slice(0, bytes.length - (bytes.length % size)).buffer as ArrayBuffer;

/** The numbers of a tensor's bytes, little-endian. */
export function fromBytes(type: OnnxType, count: number, bytes: Uint8Array): Scalar[] {
  const all = <T extends Scalar>(values: Iterable<T>): T[] => Array.from(values);
  switch (type) {
    case 'float':
      return all(new Float32Array(wordsOf(bytes, 4)));
    case 'double':
      return all(new Float64Array(wordsOf(bytes, 8)));
    case 'float16':
      return all(new Uint16Array(wordsOf(bytes, 2))).map(fromHalf);
    case 'bfloat16':
      return all(new Uint16Array(wordsOf(bytes, 2))).map(
        (bits) => new Float32Array(new Uint32Array([bits << 16]).buffer)[0]!,
      );
    case 'int64':
      return all(new BigInt64Array(wordsOf(bytes, 8)));
    case 'uint64':
      return all(new BigUint64Array(wordsOf(bytes, 8)));
    case 'int32':
      return all(new Int32Array(wordsOf(bytes, 4)));
    case 'uint32':
      return all(new Uint32Array(wordsOf(bytes, 4)));
    case 'int16':
      return all(new Int16Array(wordsOf(bytes, 2)));
    case 'uint16':
      return all(new Uint16Array(wordsOf(bytes, 2)));
    case 'int8':
      return all(new Int8Array(wordsOf(bytes, 1)));
    case 'bool':
      return all(bytes).map((byte) => (byte ? 1 : 0));
    case 'uint8':
      return all(bytes);
    case 'int4':
    case 'uint4':
      return Array.from({ length: count }, (_, i) => {
        const nibble = (bytes[i >> 1]! >> (4 * (i & 1))) & 15;
        return type === 'int4' ? (nibble << 28) >> 28 : nibble;
      });
    default:
      throw new TilewrightError('unsupported-type', `numbers of the type ${type} are not read here`);
  }
}
