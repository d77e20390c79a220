// dots: sums of products of 16 int8 of A with 16 int8 of each of four columns of B, packed in words; word_dots: of 4 with 4.

//# packed
fn dots(a: vec4u, b: array<vec4u, 4>) -> vec4i { return vec4i(dot16(a, b[0]), dot16(a, b[1]), dot16(a, b[2]), dot16(a, b[3])); }
fn dot16(a: vec4u, b: vec4u) -> i32 {
  return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}
fn word_dots(a: u32, b: vec4u) -> vec4i {
  return vec4i(dot4I8Packed(a, b.x), dot4I8Packed(a, b.y), dot4I8Packed(a, b.z), dot4I8Packed(a, b.w));
}

//# shifts
// Where WGSL lacks packed_4x8_integer_dot_product: shifts unpack the bytes, those of `a` once for all columns.
fn dots(a: vec4u, b: array<vec4u, 4>) -> vec4i {
  let x = array(bytes(a.x), bytes(a.y), bytes(a.z), bytes(a.w));
  return vec4i(dot16(x, b[0]), dot16(x, b[1]), dot16(x, b[2]), dot16(x, b[3]));
}
fn bytes(x: u32) -> vec4i { return vec4i(vec4u(x) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u); }
fn dot16(x: array<vec4i, 4>, b: vec4u) -> i32 {
  return sum4(x[0] * bytes(b.x) + x[1] * bytes(b.y) + x[2] * bytes(b.z) + x[3] * bytes(b.w));
}
fn word_dots(a: u32, b: vec4u) -> vec4i {
  let x = bytes(a);
  return vec4i(sum4(x * bytes(b.x)), sum4(x * bytes(b.y)), sum4(x * bytes(b.z)), sum4(x * bytes(b.w)));
}
fn sum4(v: vec4i) -> i32 { return v.x + v.y + v.z + v.w; }
