/**
 * A message in the wire format of Protocol Buffers (https://protobuf.dev/programming-guides/encoding), written field by
 * field. Bytes are kept as they are until `encode`, so a large tensor is copied once.
 */
export class Message {
  readonly #chunks: Uint8Array[] = [];
  #size = 0;

  #push(bytes: Uint8Array): this {
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    return this;
  }

  #key(field: number, wireType: number): this {
    return this.#push(varint(8 * field + wireType));
  }

  int(field: number, value: number | bigint): this {
    return this.#key(field, 0).#push(varint(value));
  }

  float(field: number, value: number): this {
    return this.#key(field, 5).#push(new Uint8Array(Float32Array.of(value).buffer));
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#key(field, 2).#push(varint(value.length)).#push(value);
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, value: Message): this {
    this.#key(field, 2).#push(varint(value.#size));
    for (const chunk of value.#chunks) this.#push(chunk);
    return this;
  }

  /** The key of a field of bytes that come later, and how many. */
  announce(field: number, byteLength: number): this {
    return this.#key(field, 2).#push(varint(byteLength));
  }

  encode(): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(this.#size);
    let at = 0;
    for (const chunk of this.#chunks) {
      out.set(chunk, at);
      at += chunk.length;
    }
    return out;
  }
}

/** Seven bits a byte, lowest first; a negative number is its two's complement of 64 bits. */
function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Uint8Array.from([...bytes, Number(rest)]);
}
