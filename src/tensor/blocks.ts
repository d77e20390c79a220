import { fromHalf } from './half.ts';
import type { BlockType } from './source.ts';

/** Numbers of a block, and its bytes. */
export const BLOCKS: Readonly<Record<BlockType, { readonly size: number; readonly bytes: number }>> = {
  Q4_0: { size: 32, bytes: 18 },
  Q8_0: { size: 32, bytes: 34 },
  Q4_K: { size: 256, bytes: 144 },
  Q6_K: { size: 256, bytes: 210 },
};

/** Bytes of float32 that are made at a time. */
const PIECE = 256 * 1024;

/** Writes the numbers of the block at `at` to `to` of `out`. */
type Read = (bytes: Uint8Array, at: number, out: Float32Array, to: number) => void;

const half = (bytes: Uint8Array, at: number): number => fromHalf(bytes[at]! | (bytes[at + 1]! << 8));

/** Numbers in float32 as GGML's `dequantize_row_*` has them: products are exact but that of Q6_K, the rest is rounded once. */
const READERS: Readonly<Record<BlockType, Read>> = {
  // A scale, and 16 bytes of numbers i and i + 16, stored with 8 added.
  Q4_0(bytes, at, out, to) {
    const scale = half(bytes, at);
    for (let i = 0; i < 16; i++) {
      const pair = bytes[at + 2 + i]!;
      out[to + i] = scale * ((pair & 15) - 8);
      out[to + 16 + i] = scale * ((pair >> 4) - 8);
    }
  },
  // A scale, and 32 numbers of int8.
  Q8_0(bytes, at, out, to) {
    const scale = half(bytes, at);
    for (let i = 0; i < 32; i++) out[to + i] = scale * ((bytes[at + 2 + i]! << 24) >> 24);
  },
  // Scales of scales and of minima, 12 bytes with 8 of each in 6 bits, and 128 bytes: 32 of numbers of two groups, four times.
  Q4_K(bytes, at, out, to) {
    const [scale, minimum] = [half(bytes, at), half(bytes, at + 2)];
    for (let group = 0; group < 8; group++) {
      const [first, low] = [at + 4 + (group & 3), group < 4];
      const high = bytes[first + 8]!;
      const factor = low ? bytes[first]! & 63 : (high & 15) | ((bytes[first]! >> 6) << 4);
      const offset = low ? bytes[first + 4]! & 63 : (high >> 4) | ((bytes[first + 4]! >> 6) << 4);
      const [step, less, shift] = [scale * factor, minimum * offset, 4 * (group & 1)];
      const from = at + 16 + 32 * (group >> 1);
      for (let i = 0; i < 32; i++) out[to + 32 * group + i] = step * ((bytes[from + i]! >> shift) & 15) - less;
    }
  },
  // 128 bytes of low halves, 64 of two bits above them, 16 scales of int8, and their scale; numbers are stored with 32 added.
  Q6_K(bytes, at, out, to) {
    const scale = half(bytes, at + 208);
    for (let i = 0; i < 256; i++) {
      const [side, quarter, place] = [i >> 7, (i >> 5) & 3, i & 31];
      const low = (bytes[at + 64 * side + 32 * (quarter & 1) + place]! >> (4 * (quarter >> 1))) & 15;
      const high = (bytes[at + 128 + 32 * side + place]! >> (2 * quarter)) & 3;
      const step = scale * ((bytes[at + 192 + (i >> 4)]! << 24) >> 24);
      out[to + i] = step * ((low | (high << 4)) - 32);
    }
  },
};

/** Whole blocks as float32. */
export function fromBlocks(type: BlockType, bytes: Uint8Array, out: Float32Array): void {
  const { size, bytes: width } = BLOCKS[type];
  for (let at = 0, to = 0; at < bytes.length; at += width, to += size) READERS[type](bytes, at, out, to);
}

/** The float32 of blocks that come in chunks of any size. A piece is good until the next is asked for. */
export async function* floatsOf(type: BlockType, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { size, bytes: width } = BLOCKS[type];
  const most = PIECE / (4 * size);
  let floats = new Float32Array(0);
  const cut = new Uint8Array(width); // a block that begins in one chunk and ends in another
  let filled = 0;
  const made = (blocks: Uint8Array): Uint8Array => {
    const count = (blocks.length / width) * size;
    if (floats.length < count) floats = new Float32Array(count);
    fromBlocks(type, blocks, floats);
    return new Uint8Array(floats.buffer, 0, 4 * count);
  };
  for await (const chunk of chunks) {
    let at = 0;
    if (filled) {
      at = Math.min(width - filled, chunk.length);
      cut.set(chunk.subarray(0, at), filled);
      filled += at;
      if (filled < width) continue;
      yield made(cut);
    }
    filled = (chunk.length - at) % width;
    const end = chunk.length - filled;
    for (; at < end; at += most * width) yield made(chunk.subarray(at, Math.min(end, at + most * width)));
    cut.set(chunk.subarray(end));
  }
}
