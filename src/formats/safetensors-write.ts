import { TilewrightError } from '../errors.ts';
import { STORED_BYTES, type StoredType } from '../tensor/source.ts';
import { elementCount, formatShape } from '../tensor/types.ts';

export interface TensorToWrite {
  name: string;
  storedType: StoredType;
  shape: readonly number[];
  /** Little-endian, row-major. */
  bytes: Uint8Array;
}

/**
 * A safetensors file. Tensors are laid out from the widest element type to the narrowest and the header is padded to
 * 8 bytes, so that every tensor is aligned in the file.
 *
 * @throws `invalid-argument` when a name is taken or reserved, `wrong-shape` when the bytes are not the shape's.
 */
export function encodeSafetensors(
  tensors: readonly TensorToWrite[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const sorted = [...tensors].sort((a, b) => STORED_BYTES[b.storedType] - STORED_BYTES[a.storedType]);
  const header = new Map<string, unknown>(metadata ? [['__metadata__', metadata]] : []);
  let end = 0;
  for (const { name, storedType, shape, bytes } of sorted) {
    const expected = elementCount(shape) * STORED_BYTES[storedType];
    if (bytes.length !== expected) {
      throw new TilewrightError(
        'wrong-shape',
        `${name}: ${storedType}${formatShape(shape)} takes ${expected} bytes, got ${bytes.length}`,
      );
    }
    if (name === '__metadata__' || header.has(name)) {
      throw new TilewrightError('invalid-argument', `the tensor name "${name}" is taken`);
    }
    header.set(name, { dtype: storedType, shape, data_offsets: [end, end + bytes.length] });
    end += bytes.length;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const length = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
  file.fill(0x20, 8, 8 + length);
  file.set(json, 8);
  let at = 8 + length;
  for (const { bytes } of sorted) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}
