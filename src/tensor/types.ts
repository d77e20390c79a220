import { TilewrightError } from '../errors.ts';

/**
 * Element types of a tensor in a graph, under WebNN's names. bfloat16 and float64 live in files only, int4x8 on the
 * device only: int4 weights, eight to a word, as shaders/lib/operand_b.wgsl says.
 */
export type DataType = 'float32' | 'float16' | 'int32' | 'uint32' | 'int8' | 'uint8' | 'int4x8' | LogicalType;

/** Types without kernels. On the device they are int32, uint32, int8 and uint8 (tensor/logical.ts). */
export type LogicalType = 'int64' | 'uint64' | 'int4' | 'uint4';

/** Type and shape of a tensor. */
export interface TensorDescriptor {
  readonly dataType: DataType;
  readonly shape: readonly number[];
}

/** Numbers of a tensor, in the array of its type; float16 as bits. */
export type TensorData = Float32Array | Uint16Array | Int32Array | Uint32Array | Int8Array | Uint8Array;

/** Numbers that a caller gives and gets. int4 and uint4 are two to a byte of a Uint8Array, the first in the low half. */
export type HostData = TensorData | BigInt64Array | BigUint64Array;

/** Bytes an element takes on the host, and on the device where it has the type. */
export const BYTES: Record<DataType, number> = {
  float32: 4,
  float16: 2,
  int32: 4,
  uint32: 4,
  int8: 1,
  uint8: 1,
  int4x8: 0.5,
  int64: 8,
  uint64: 8,
  int4: 0.5,
  uint4: 0.5,
};

const ARRAYS = {
  float32: Float32Array,
  float16: Uint16Array, // raw bits: see half.ts
  int32: Int32Array,
  uint32: Uint32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int4x8: Uint8Array, // raw bytes, two weights each
  int64: Int32Array,
  uint64: Uint32Array,
  int4: Int8Array,
  uint4: Uint8Array,
} as const;

/** The typed array of a device type. float16 is bits in a Uint16Array. */
export function typedArray(
  dataType: DataType,
  source: ArrayBuffer | number,
  byteOffset?: number,
  length?: number,
): TensorData {
  const Type = ARRAYS[dataType];
  return typeof source === 'number' ? new Type(source) : new Type(source, byteOffset, length);
}

export const isFloat = (dataType: DataType): boolean => dataType === 'float32' || dataType === 'float16';

/** Number of elements; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Bytes of a tensor in whole words, as buffers are copied. */
export const wordBytes = (tensor: TensorDescriptor): number => Math.ceil(byteLength(tensor) / 4) * 4;

/** Bytes a tensor takes: of int4x8, whole words. */
export function byteLength({ dataType, shape }: TensorDescriptor): number {
  const bytes = elementCount(shape) * BYTES[dataType];
  return dataType === 'int4x8' ? Math.ceil(bytes / 4) * 4 : bytes;
}

/** Row-major strides, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let d = shape.length - 2; d >= 0; d--) strides[d] = strides[d + 1]! * shape[d + 1]!;
  return strides;
}

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, d) => size === b[d]);

/** Sizes that are written of a shape, which may come from a hostile file. */
const MOST_SHOWN = 16;

export const formatShape = (shape: readonly number[]): string =>
  `[${shape.length > MOST_SHOWN ? `${shape.slice(0, MOST_SHOWN)},... ${shape.length} sizes` : shape}]`;

/** `float32[1,3,32,32]`, as it is written in every message. */
export const formatTensor = ({ dataType, shape }: TensorDescriptor): string => `${dataType}${formatShape(shape)}`;

/** The shape two operands broadcast to (NumPy's rule), or `wrong-shape`. */
export function broadcastShapes(what: string, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, d) => {
    const x = a[a.length - rank + d] ?? 1;
    const y = b[b.length - rank + d] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new TilewrightError(
        'wrong-shape',
        `${what}: ${formatShape(a)} and ${formatShape(b)} do not broadcast: ${x} against ${y} in dimension ${d}`,
      );
    }
    return x === 1 ? y : x;
  });
}
