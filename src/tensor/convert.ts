import { TilewrightError } from '../errors.ts';
import { STORED_BYTES, type StoredType, type TensorSource } from './source.ts';
import type { DataType } from './types.ts';

const IN_GRAPH: Record<StoredType, DataType> = {
  F32: 'float32',
  F64: 'float32',
  F16: 'float16',
  BF16: 'float32', // a kernel widens it
  I64: 'int64',
  I32: 'int32',
  I16: 'int32',
  U16: 'uint32',
  U32: 'uint32',
  U64: 'uint64',
  I8: 'int8',
  U8: 'uint8',
  BOOL: 'uint8',
};

/** The type of a stored type in a graph. */
export const toDataType = (stored: StoredType): DataType => IN_GRAPH[stored];

/** Stored types that are converted on the host (conversions.ts). */
const CONVERTED: readonly StoredType[] = ['F64', 'I16', 'U16', 'I64', 'U64'];

/** The tensor's bytes in the type of the GPU. Chunks hold whole elements, also where chunks of the source do not. */
export async function* converted(source: TensorSource, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const { storedType } = source;
  const size = STORED_BYTES[storedType];
  const convert = CONVERTED.includes(storedType) ? (await import('./conversions.ts')).convertChunk : undefined;
  let rest = new Uint8Array(0);
  for await (const chunk of source.chunks(signal)) {
    let bytes = chunk;
    if (rest.length > 0) {
      bytes = new Uint8Array(rest.length + chunk.length);
      bytes.set(rest);
      bytes.set(chunk, rest.length);
    }
    const whole = bytes.length - (bytes.length % size);
    rest = bytes.slice(whole);
    if (whole === 0) continue;
    const part = bytes.subarray(0, whole);
    yield convert ? convert(storedType, part, source.name) : part;
  }
  if (rest.length > 0) {
    throw new TilewrightError(
      'invalid-file',
      `${source.name}: ends inside an element: expected ${size} bytes of ${source.storedType}, got ${rest.length}`,
    );
  }
}
