import { TilewrightError } from '../errors.ts';
import { STORED_BYTES, type StoredType } from './source.ts';

type ElementReader = (view: DataView, at: number, name: string) => number;

export const misfit = (name: string, from: string, value: bigint | number, to: string): TilewrightError =>
  new TilewrightError('unsupported-type', `${name}: the ${from} value ${value} does not fit ${to}`, {
    hint: 'The GPU has no 64-bit numbers: give smaller values.',
  });

/** Stored types that are converted on the host: the array they become, and how to read an element. */
const CONVERSIONS: Partial<
  Record<StoredType, { Type: typeof Float32Array | typeof Int32Array | typeof Uint32Array; read: ElementReader }>
> = {
  F64: {
    Type: Float32Array,
    read(view, at, name) {
      const value = view.getFloat64(at, true);
      if (Number.isFinite(value) && !Number.isFinite(Math.fround(value))) throw misfit(name, 'F64', value, 'float32');
      return value;
    },
  },
  I16: { Type: Int32Array, read: (view, at) => view.getInt16(at, true) },
  U16: { Type: Uint32Array, read: (view, at) => view.getUint16(at, true) },
  I64: {
    Type: Int32Array,
    read(view, at, name) {
      const low = view.getInt32(at, true);
      if (view.getInt32(at + 4, true) !== low >> 31) throw misfit(name, 'I64', view.getBigInt64(at, true), 'int32');
      return low;
    },
  },
  U64: {
    Type: Uint32Array,
    read(view, at, name) {
      if (view.getUint32(at + 4, true) !== 0) throw misfit(name, 'U64', view.getBigUint64(at, true), 'uint32');
      return view.getUint32(at, true);
    },
  },
};

/**
 * Elements of a stored type in the type of the GPU: 64-bit types are narrowed, 16-bit integers widened. F64 rounds to
 * the nearest float32. Other types, BF16 among them, come back as they are. Little-endian.
 *
 * @throws `unsupported-type` for a number that does not fit 32 bits, naming `name` and the value.
 */
export function convertChunk(stored: StoredType, bytes: Uint8Array, name = 'tensor'): Uint8Array {
  const conversion = CONVERSIONS[stored];
  if (!conversion) return bytes;
  const size = STORED_BYTES[stored];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new conversion.Type(bytes.length / size);
  for (let i = 0; i < out.length; i++) out[i] = conversion.read(view, i * size, name);
  return new Uint8Array(out.buffer);
}
