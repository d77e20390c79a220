// The right operand, or weights: four consecutive elements as float32, before their scale. `i` counts B_UNIT elements; only
// the first `live` of the four belong to the row, the rest read as zero.
// int8 is symmetric, four to a u32. unpack4x8snorm divides by 127 exactly for -127..127 and beats unpack4xI8 on SwiftShader;
// the scale carries the 127. `sized` as in operand_a.

//# dense
const B_UNIT = 4u;
@group(0) @binding(2) var<storage, read> b: array<Elem4>;
fn b_at(i: u32, live: u32) -> vec4f { return vec4f(b[i]); }

//# dense_sized
const B_UNIT = 4u;
@group(0) @binding(2) var<storage, read> b: array<Elem4, B_LENGTH>;
fn b_at(i: u32, live: u32) -> vec4f { return vec4f(b[i]); }

//# q8
const B_UNIT = 4u;
@group(0) @binding(2) var<storage, read> b: array<u32>;
fn b_at(i: u32, live: u32) -> vec4f { return unpack4x8snorm(b[i]); }

//# q8_sized
const B_UNIT = 4u;
@group(0) @binding(2) var<storage, read> b: array<u32, B_LENGTH>;
fn b_at(i: u32, live: u32) -> vec4f { return unpack4x8snorm(b[i]); }

//# dense_ragged
const B_UNIT = 1u;
@group(0) @binding(2) var<storage, read> b: array<Elem>;
fn b_at(i: u32, live: u32) -> vec4f {
  let v = vec4f(f32(b[i]), f32(b[i + 1u]), f32(b[i + 2u]), f32(b[i + 3u]));
  return select(vec4f(), v, vec4u(0u, 1u, 2u, 3u) < vec4u(live));
}

//# q8_ragged
const B_UNIT = 1u;
@group(0) @binding(2) var<storage, read> b: array<u32>;
fn b_at(i: u32, live: u32) -> vec4f {
  let shift = 8u * (i % 4u);
  let low = b[i / 4u] >> shift;
  let high = select(b[i / 4u + 1u] << (32u - shift), 0u, shift == 0u);
  return select(vec4f(), unpack4x8snorm(low | high), vec4u(0u, 1u, 2u, 3u) < vec4u(live));
}
