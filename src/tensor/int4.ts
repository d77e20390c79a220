/** The byte of element `i` in a buffer of int4x8, and its shift in the byte (shaders/lib/operand_b.wgsl). */
const placeOf = (i: number): [byte: number, shift: number] => [(i >> 3) * 4 + (i & 3), i & 4];

/** Integers from -8 to 7 as int4x8: eight to a word, padded to a word. */
export function packInt4(values: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(values.length / 8) * 4);
  for (let i = 0; i < values.length; i++) {
    const [byte, shift] = placeOf(i);
    bytes[byte]! |= (values[i]! & 15) << shift;
  }
  return bytes;
}

export function unpackInt4(bytes: Uint8Array, count: number): Int8Array<ArrayBuffer> {
  const values = new Int8Array(count);
  for (let i = 0; i < count; i++) {
    const [byte, shift] = placeOf(i);
    values[i] = ((bytes[byte]! >> shift) << 28) >> 28;
  }
  return values;
}
