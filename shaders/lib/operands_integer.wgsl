// Operands of an integer product: int8 with K contiguous, sixteen elements at once. `i` counts A_UNIT or B_UNIT elements; only the
// first `live` of the sixteen belong to the row: of A the rest read as zero, so that it does not matter what B has there.

//# vec4
const A_UNIT = 16u;
const B_UNIT = 16u;
@group(0) @binding(1) var<storage, read> a: array<vec4u>;
@group(0) @binding(2) var<storage, read> b: array<vec4u>;
fn a_at(i: u32, live: u32) -> vec4u { return a[i]; }
fn b_at(i: u32, live: u32) -> vec4u { return b[i]; }

//# bytes
// A row may begin and end anywhere: sixteen bytes lie in five words.
const A_UNIT = 1u;
const B_UNIT = 1u;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
fn joined(low: vec4u, high: vec4u, i: u32) -> vec4u {
  let shift = 8u * (i % 4u);
  return select((low >> vec4u(shift)) | (high << vec4u(32u - shift)), low, vec4<bool>(shift == 0u));
}
fn a_at(i: u32, live: u32) -> vec4u {
  let w = i / 4u;
  let x = joined(vec4u(a[w], a[w + 1u], a[w + 2u], a[w + 3u]), vec4u(a[w + 1u], a[w + 2u], a[w + 3u], a[w + 4u]), i);
  let bytes = clamp(vec4i(i32(live)) - vec4i(0, 4, 8, 12), vec4i(), vec4i(4)); // of each word that belong to the row
  let mask = select((vec4u(1u) << (8u * vec4u(bytes))) - 1u, vec4u(0xffffffffu), bytes == vec4i(4));
  return x & mask;
}
fn b_at(i: u32, live: u32) -> vec4u {
  let w = i / 4u;
  return joined(vec4u(b[w], b[w + 1u], b[w + 2u], b[w + 3u]), vec4u(b[w + 1u], b[w + 2u], b[w + 3u], b[w + 4u]), i);
}
