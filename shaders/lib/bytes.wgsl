// bytes(w): vec4f of four int8, divided by BYTE. nibbles(w): four int4, divided by NIBBLE

//# products
// A byte is moved to the top of a word, where its sign is the word's, and converted: that is exact. Products stand for
// shifts: SwiftShader does shifts lane by lane, and a matrix-vector product takes 1.2 to 1.7 times as long with them.
// unpack4x8snorm takes 1.1 to 1.3 times as long on SwiftShader and llvmpipe, and has no -128.
const BYTE = 0x1p-24;
const NIBBLE = 0x1p-28;

fn bytes(w: u32) -> vec4f {
  const TOP = 0xff000000u;
  return vec4f(vec4i(vec4u(w * 0x1000000u, (w * 0x10000u) & TOP, (w * 0x100u) & TOP, w & TOP)));
}

// The high nibbles of the bytes. nibbles(16 * w) are the low ones.
fn nibbles(w: u32) -> vec4f {
  const TOP = 0xf0000000u;
  return vec4f(vec4i(vec4u((w * 0x1000000u) & TOP, (w * 0x10000u) & TOP, (w * 0x100u) & TOP, w & TOP)));
}

//# unpack
// For GPUs: Intel's convert a byte of a register in one instruction, AMD's take two.
const BYTE = 1.0;
const NIBBLE = 0x1p-4;

fn bytes(w: u32) -> vec4f { return vec4f(unpack4xI8(w)); }

// As above; a nibble is the high half of a byte, the low half is zero.
fn nibbles(w: u32) -> vec4f { return vec4f(unpack4xI8(w & 0xf0f0f0f0u)); }
