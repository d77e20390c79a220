// The right operand, or weights: four consecutive elements as float32, before their scale. `i` counts B_UNIT elements; only
// the first `live` of the four belong to the row, the rest read as zero. The binding is binding_b's.
// half is float16 as bits, for devices without shader-f16 and for float16 weights of float32 activations.
// int8 is symmetric, four to a u32; int4 is symmetric, eight to a u32: the low nibbles of its bytes are the first four, the high ones the
// next four. B_SCALE is what scales are multiplied by to make up for how both are unpacked (bytes).
// wide gives sixteen elements at a time, four to a column of the matrix.

//# dense
const B_UNIT = 4u;
alias B = Elem4;
fn b_at(i: u32, live: u32) -> vec4f { return vec4f(b[i]); }

//# dense_wide
const B_UNIT = 16u;
alias B = mat4x4<Elem>;
fn b16_at(i: u32) -> mat4x4f { return mat4x4f(b[i]); }

//# half
const B_UNIT = 4u;
alias B = vec2u;
fn b_at(i: u32, live: u32) -> vec4f { return vec4f(unpack2x16float(b[i].x), unpack2x16float(b[i].y)); }

//# q8
const B_UNIT = 4u;
const B_SCALE = BYTE;
alias B = u32;
fn b_at(i: u32, live: u32) -> vec4f { return bytes(b[i]); }

//# q4
const B_UNIT = 4u;
const B_SCALE = NIBBLE;
alias B = u32;
fn b_at(i: u32, live: u32) -> vec4f { return nibbles(b[i / 2u] * select(16u, 1u, i % 2u == 1u)); }

//# q8_wide
const B_UNIT = 16u;
const B_SCALE = BYTE;
alias B = vec4u;
fn b16_at(i: u32) -> mat4x4f {
  let w = b[i];
  return mat4x4f(bytes(w.x), bytes(w.y), bytes(w.z), bytes(w.w));
}

//# q4_wide
const B_UNIT = 16u;
const B_SCALE = NIBBLE;
alias B = vec2u;
fn b16_at(i: u32) -> mat4x4f {
  let w = b[i];
  return mat4x4f(nibbles(w.x * 16u), nibbles(w.x), nibbles(w.y * 16u), nibbles(w.y));
}

//# dense_ragged
const B_UNIT = 1u;
alias B = Elem;
fn b_at(i: u32, live: u32) -> vec4f {
  let v = vec4f(f32(b[i]), f32(b[i + 1u]), f32(b[i + 2u]), f32(b[i + 3u]));
  return select(vec4f(), v, vec4u(0u, 1u, 2u, 3u) < vec4u(live));
}

//# half_ragged
const B_UNIT = 1u;
alias B = u32;
fn b_at(i: u32, live: u32) -> vec4f {
  let first = unpack2x16float(b[i / 2u]);
  let next = unpack2x16float(b[i / 2u + 1u]);
  let last = unpack2x16float(b[i / 2u + 2u]);
  let v = select(vec4f(first, next), vec4f(first.y, next, last.x), i % 2u == 1u);
  return select(vec4f(), v, vec4u(0u, 1u, 2u, 3u) < vec4u(live));
}

//# q8_ragged
const B_UNIT = 1u;
const B_SCALE = BYTE;
alias B = u32;
fn b_at(i: u32, live: u32) -> vec4f {
  let shift = 8u * (i % 4u);
  let low = b[i / 4u] >> shift;
  let high = select(b[i / 4u + 1u] << (32u - shift), 0u, shift == 0u);
  return select(vec4f(), bytes(low | high), vec4u(0u, 1u, 2u, 3u) < vec4u(live));
}
