// Signed bytes and nibbles as float32. Each is brought to the top of a word, where its sign is the word's, and converted there: exact,
// and BYTE (NIBBLE) times what comes out is the number. Shifts are products, because SwiftShader does shifts lane by lane: with
// them a matrix-vector product takes 1.2 to 1.7 times as long there. unpack4x8snorm takes 1.1 to 1.3 times as long on both, and has no -128.
const BYTE = 0x1p-24;
const NIBBLE = 0x1p-28;

fn bytes(w: u32) -> vec4f {
  const TOP = 0xff000000u;
  return vec4f(vec4i(vec4u(w * 0x1000000u, (w * 0x10000u) & TOP, (w * 0x100u) & TOP, w & TOP)));
}

// The high nibbles of the bytes; the low ones are those of 16 * w.
fn nibbles(w: u32) -> vec4f {
  const TOP = 0xf0000000u;
  return vec4f(vec4i(vec4u((w * 0x1000000u) & TOP, (w * 0x10000u) & TOP, (w * 0x100u) & TOP, w & TOP)));
}
