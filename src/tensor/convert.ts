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

/** Stored types that are converted on the host: F64, I64, U64, I16, U16 (conversions.ts). */
const CONVERTED = /64|^[IU]16/;

/** The tensor's bytes in the type of the GPU. Chunks hold whole elements, also where chunks of the source do not. */
export async function* converted(source: TensorSource, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const { storedType } = source;
  const size = STORED_BYTES[storedType];
  const convert = CONVERTED.test(storedType) ? (await import('./conversions.ts')).convertChunk : undefined;
  for await (const part of inMultiples(source.chunks(signal), size)) {
    if (part.length % size)
      throw new TilewrightError(
        'invalid-file',
        `${source.name}: ends inside an element: expected ${size} bytes of ${storedType}, got ${part.length}`,
      );
    yield convert ? convert(storedType, part, source.name) : part;
  }
}

/** All bytes of chunks, `length` of them, in one piece. It is made when the first chunk is there: there may be fewer bytes than are said. */
export async function gathered(chunks: AsyncIterable<Uint8Array>, length: number): Promise<Uint8Array<ArrayBuffer>> {
  let whole: Uint8Array<ArrayBuffer> | undefined;
  let at = 0;
  for await (const chunk of chunks) {
    whole ??= new Uint8Array(length);
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole ?? new Uint8Array(0);
}

/**
 * The same bytes in chunks of a multiple of `size`: what a chunk has beyond goes with the next. The last may be of any
 * length.
 */
export async function* inMultiples(chunks: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array(0);
  for await (let chunk of chunks) {
    if (rest.length) {
      // Of a chunk, only what completes the rest is copied.
      const joined = new Uint8Array(Math.min(size, rest.length + chunk.length));
      joined.set(rest);
      joined.set(chunk.subarray(0, joined.length - rest.length), rest.length);
      chunk = chunk.subarray(joined.length - rest.length);
      rest = joined;
      if (rest.length < size) continue;
      yield rest;
    }
    const whole = chunk.length - (chunk.length % size);
    if (whole) yield chunk.subarray(0, whole);
    rest = chunk.slice(whole);
  }
  if (rest.length) yield rest;
}
