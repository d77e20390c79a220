import { byteLength, formatTensor, type HostData } from '../tensor/types.ts';

/** The array of each type of the standard. float16 is bits; int4 and uint4 are two numbers a byte. */
const ARRAYS = {
  float32: Float32Array,
  float16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int4: Uint8Array,
  uint4: Uint8Array,
} as const;

/** A type of WebNN. */
export type MLOperandDataType = keyof typeof ARRAYS;

export const DATA_TYPES = Object.keys(ARRAYS) as readonly MLOperandDataType[];

/** Type and shape. */
export interface MLOperandDescriptor {
  dataType: MLOperandDataType;
  shape: readonly number[];
}

/** A typed array of the type, or its bytes in a buffer. */
export type MLBufferSource = ArrayBufferLike | ArrayBufferView;

/** Axes of a tensor at the most: kernels walk eight. */
export const MAX_RANK = 8;

const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

export function needDataType(what: string, dataType: unknown): asserts dataType is MLOperandDataType {
  if (!DATA_TYPES.includes(dataType as MLOperandDataType))
    throw new TypeError(`${what}: '${dataType}' is no data type, expected ${DATA_TYPES.join(' or ')}`);
}

/** A checked copy. Error: TypeError for an unknown type, or a dimension that is no integer above zero. */
export function needDescriptor(what: string, descriptor: MLOperandDescriptor): MLOperandDescriptor {
  const { dataType, shape } = descriptor ?? {};
  needDataType(what, dataType);
  const valid = (size: unknown): boolean =>
    Number.isInteger(size) && (size as number) > 0 && (size as number) < 2 ** 31;
  if (!Array.isArray(shape) || !shape.every(valid))
    throw new TypeError(`${what}: [${shape}] is no shape: dimensions are integers from 1 on`);
  if (shape.length > MAX_RANK) throw new TypeError(`${what}: rank ${shape.length}, ${MAX_RANK} at most`);
  return { dataType, shape: Object.freeze([...shape]) };
}

/** The bytes of a buffer or a view. Error: TypeError where they are not those of such a tensor. */
export function needBytes(what: string, descriptor: MLOperandDescriptor, data: MLBufferSource): Uint8Array {
  const { dataType } = descriptor;
  const view = ArrayBuffer.isView(data);
  const tag = tagOf(data);
  const names = view
    ? [ARRAYS[dataType].name, ...(dataType === 'float16' ? ['Float16Array'] : [])]
    : ['ArrayBuffer', 'SharedArrayBuffer'];
  if (!names.includes(tag))
    throw new TypeError(`${what}: expected ${names.join(' or ')} for ${formatTensor(descriptor)}, got ${tag}`);
  const bytes = Math.ceil(byteLength(descriptor));
  if (data.byteLength !== bytes)
    throw new TypeError(`${what}: ${formatTensor(descriptor)} has ${bytes} bytes, got ${data.byteLength}`);
  return view ? new Uint8Array(data.buffer, data.byteOffset, bytes) : new Uint8Array(data);
}

/** A copy of the numbers that a caller gives, in the array of their type. */
export const numbersOf = (what: string, descriptor: MLOperandDescriptor, data: MLBufferSource): HostData =>
  new ARRAYS[descriptor.dataType](needBytes(what, descriptor, data).slice().buffer);
