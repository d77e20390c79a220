import { TilewrightError } from '../errors.ts';
import { STORED_BYTES, type StoredType } from '../tensor/source.ts';
import { elementCount, formatShape } from '../tensor/types.ts';

/** A tensor of a file that is written, before its bytes are known. */
export interface TensorHeader {
  readonly name: string;
  readonly storedType: StoredType;
  readonly shape: readonly number[];
}

export interface TensorToWrite extends TensorHeader {
  /** Little-endian, row-major. */
  readonly bytes: Uint8Array;
}

/** Where everything lies in a file that is written piece by piece. */
export interface SafetensorsLayout {
  /** What the file begins with. */
  readonly head: Uint8Array<ArrayBuffer>;
  /** First byte of each tensor in the file, and how many it has; in the order of the file. */
  readonly tensors: ReadonlyMap<string, { readonly offset: number; readonly byteLength: number }>;
  /** Of the whole file. */
  readonly byteLength: number;
}

/**
 * Lays out a safetensors file: from the widest element type to the narrowest, with the header padded to 8 bytes, so
 * that every tensor is aligned in the file.
 *
 * @throws `invalid-argument` when a name is taken or reserved.
 */
export function layoutSafetensors(
  tensors: readonly TensorHeader[],
  metadata?: Readonly<Record<string, string>>,
): SafetensorsLayout {
  const sorted = [...tensors].sort((a, b) => STORED_BYTES[b.storedType] - STORED_BYTES[a.storedType]);
  const header = new Map<string, unknown>(metadata ? [['__metadata__', metadata]] : []);
  const places = new Map<string, { offset: number; byteLength: number }>();
  let end = 0;
  for (const { name, storedType, shape } of sorted) {
    if (name === '__metadata__' || header.has(name)) {
      throw new TilewrightError('invalid-argument', `the tensor name "${name}" is taken`);
    }
    const byteLength = elementCount(shape) * STORED_BYTES[storedType];
    header.set(name, { dtype: storedType, shape, data_offsets: [end, end + byteLength] });
    places.set(name, { offset: end, byteLength });
    end += byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const length = Math.ceil(json.length / 8) * 8;
  const head = new Uint8Array(8 + length).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(json, 8);
  for (const place of places.values()) place.offset += head.length;
  return { head, tensors: places, byteLength: head.length + end };
}

/**
 * A safetensors file in one piece.
 *
 * @throws `invalid-argument` as above, `wrong-shape` when the bytes are not the shape's.
 */
export function encodeSafetensors(
  tensors: readonly TensorToWrite[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const layout = layoutSafetensors(tensors, metadata);
  const file = new Uint8Array(layout.byteLength);
  file.set(layout.head);
  for (const { name, storedType, shape, bytes } of tensors) {
    const { offset, byteLength } = layout.tensors.get(name)!;
    if (bytes.length !== byteLength) {
      throw new TilewrightError(
        'wrong-shape',
        `${name}: ${storedType}${formatShape(shape)} takes ${byteLength} bytes, got ${bytes.length}`,
      );
    }
    file.set(bytes, offset);
  }
  return file;
}
