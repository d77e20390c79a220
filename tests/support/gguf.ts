/** A value of the metadata with its type: a number of GGUF, of a list that of its values. */
export type Field = readonly [key: string, type: number, value: unknown, of?: number];

/** A tensor: shape as the engine has it, type as GGUF numbers it, bytes as they lie in the file. */
export interface GgufTensor {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

const ALIGNMENT = 32;
const padded = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** A GGUF file of the version 3, as https://github.com/ggml-org/ggml/blob/master/docs/gguf.md has it. */
export function encodeGguf(fields: readonly Field[], tensors: readonly GgufTensor[]): Uint8Array<ArrayBuffer> {
  const out: number[] = [];
  const put = (bytes: number, write: (view: DataView) => void): void => {
    const piece = new Uint8Array(bytes);
    write(new DataView(piece.buffer));
    out.push(...piece);
  };
  const u32 = (value: number): void => put(4, (view) => view.setUint32(0, value, true));
  const u64 = (value: number): void => put(8, (view) => view.setBigUint64(0, BigInt(value), true));
  const text = (value: string): void => {
    const bytes = new TextEncoder().encode(value);
    u64(bytes.length);
    out.push(...bytes);
  };
  const scalar = (type: number, value: unknown): void => {
    if (type === 8) text(value as string);
    else if (type === 7) out.push(value ? 1 : 0);
    else if (type === 4) u32(value as number);
    else if (type === 5) put(4, (view) => view.setInt32(0, value as number, true));
    else if (type === 6) put(4, (view) => view.setFloat32(0, value as number, true));
    else throw new Error(`there is no writer of the type ${type}`);
  };
  out.push(0x47, 0x47, 0x55, 0x46);
  u32(3);
  u64(tensors.length);
  u64(fields.length);
  for (const [key, type, value, of] of fields) {
    text(key);
    u32(type);
    if (of === undefined) scalar(type, value);
    else {
      u32(of);
      u64((value as unknown[]).length);
      for (const each of value as unknown[]) scalar(of, each);
    }
  }
  let offset = 0;
  for (const { name, type, shape, bytes } of tensors) {
    text(name);
    u32(shape.length);
    for (const size of shape.toReversed()) u64(size);
    u32(type);
    u64(offset);
    offset = padded(offset + bytes.length);
  }
  const start = padded(out.length);
  const file = new Uint8Array(start + offset);
  file.set(out);
  let at = start;
  for (const { bytes } of tensors) {
    file.set(bytes, at);
    at += padded(bytes.length);
  }
  return file;
}

/** The fields of a tiny Llama, its tokenizer of SentencePiece included. */
export function llamaFields({ width = 8, heads = 2, inner = 12, layers = 1, vocabulary = 10 } = {}): Field[] {
  const tokens = ['<unk>', '<s>', '</s>', '\u2581', 'a', 'b', 'ab', '\u2581a', '\u2581ab', '<0x0A>'];
  for (let i = tokens.length; i < vocabulary; i++) tokens.push(`[${i}]`);
  const ids = tokens.map((_, id) => id);
  return [
    ['general.architecture', 8, 'llama'],
    ['general.name', 8, 'tiny'],
    ['llama.vocab_size', 4, vocabulary],
    ['llama.context_length', 4, 32],
    ['llama.embedding_length', 4, width],
    ['llama.block_count', 4, layers],
    ['llama.feed_forward_length', 4, inner],
    ['llama.attention.head_count', 4, heads],
    ['llama.attention.layer_norm_rms_epsilon', 6, 1e-5],
    ['llama.rope.dimension_count', 4, width / heads],
    ['tokenizer.ggml.model', 8, 'llama'],
    ['tokenizer.ggml.tokens', 9, tokens, 8],
    ['tokenizer.ggml.scores', 9, ids.map((id) => -id), 6],
    ['tokenizer.ggml.token_type', 9, ids.map((id) => (id === 0 ? 2 : id < 3 ? 3 : id === 9 ? 6 : id < 9 ? 1 : 5)), 5],
    ['tokenizer.ggml.bos_token_id', 4, 1],
    ['tokenizer.ggml.eos_token_id', 4, 2],
    ['tokenizer.ggml.add_bos_token', 7, true],
    ['tokenizer.chat_template', 8, '{{ messages }}'],
  ];
}

/** The tensors of that Llama. `make` has the type and the bytes of one. */
export function llamaTensors(
  make: (name: string, shape: readonly number[]) => Pick<GgufTensor, 'type' | 'bytes'>,
  { width = 8, inner = 12, layers = 1, vocabulary = 10 } = {},
): GgufTensor[] {
  const shapes: Record<string, readonly number[]> = { token_embd: [vocabulary, width], output_norm: [width] };
  for (let i = 0; i < layers; i++)
    for (const [name, shape] of Object.entries({
      ...{ attn_norm: [width], attn_q: [width, width], attn_k: [width, width], attn_v: [width, width] },
      ...{ attn_output: [width, width], ffn_norm: [width] },
      ...{ ffn_gate: [inner, width], ffn_up: [inner, width], ffn_down: [width, inner] },
    }))
      shapes[`blk.${i}.${name}`] = shape;
  return Object.entries(shapes).map(([name, shape]) => ({ name: `${name}.weight`, shape, ...make(name, shape) }));
}
