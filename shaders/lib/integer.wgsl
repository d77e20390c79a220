// Operands of an integer product, int8 or uint8 less 128, with K contiguous, and products with them: operand_a.wgsl and operand_b.wgsl for
// int8 by int8. Sums are int32, and exact. B is [N,K].
// A part for each of: how operands are read, how bytes are multiplied, the scale of A, how int32 results leave (else epilogue).
// a_at, b_at         sixteen elements. `i` counts A_UNIT or B_UNIT elements; only the first `live` of the sixteen belong to the row: of A the
//                    rest read as zero, so that it does not matter what B has there
// block_b, times_b   columns 4·n4.., elements 16·k4.. of K. 16 elements x of A times that
// consts  A_SIGNS B_SIGNS (the highest bits of four bytes of uint8: without them it is int8, and 128 less; 0 of int8)

alias Pair = vec2u; // half a quad
alias Quad = vec4u; // what is read at once along K
alias Block = array<vec4u, 4>; // four quads: rows of A, columns of B
alias Sum4 = vec4i; // sums of four columns
alias Sums = array<vec4i, 4>; // four rows of them
const DEPTH = 16u; // elements of K in a block
const B_SCALE = 1.0;
fn inside_or_zero(x: Quad, inside: u32) -> Quad { return x & vec4u(inside); }
fn scaled_quad(v: Quad, k4: u32, at: u32) -> Quad { return v; } // scales are those of whole columns
fn outer(acc: Sums, a: Block, b: Block) -> Sums {
  return Sums(acc[0] + dots(a[0], b), acc[1] + dots(a[1], b), acc[2] + dots(a[2], b), acc[3] + dots(a[3], b));
}
// A pair along K of a row of A times that of four columns of B, two of which are in `b` and two in `c`.
fn add_pair(acc: vec4i, a: vec2u, b: vec4u, c: vec4u) -> vec4i {
  return acc + word_dots(a.x, vec4u(b.xz, c.xz)) + word_dots(a.y, vec4u(b.yw, c.yw));
}
fn block_b(start: u32, k4: u32, n4: u32) -> Block {
  let column = min(vec4u(4u * n4) + vec4u(0u, 1u, 2u, 3u), vec4u(params.n - 1u)) * params.ldb + start + k4 * (DEPTH / B_UNIT);
  let live = params.k - DEPTH * k4;
  return Block(b_at(column.x, live), b_at(column.y, live), b_at(column.z, live), b_at(column.w, live));
}
fn times_b(x: Quad, start: u32, k4: u32, n4: u32) -> vec4i { return dots(x, block_b(start, k4, n4)); }
fn tap_of_b() -> u32 { return params.k / B_UNIT; }

//# vec4
const A_UNIT = 16u;
const B_UNIT = 16u;
@group(0) @binding(1) var<storage, read> a: array<vec4u>;
@group(0) @binding(2) var<storage, read> b: array<vec4u>;
fn a_at(i: u32, live: u32) -> vec4u { return a[i] ^ vec4u(A_SIGNS); }
fn b_at(i: u32, live: u32) -> vec4u { return b[i] ^ vec4u(B_SIGNS); }

//# ragged
const A_UNIT = 1u;
const B_UNIT = 1u;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
// A row may begin and end anywhere: sixteen bytes lie in five words.
fn joined(low: vec4u, high: vec4u, i: u32) -> vec4u {
  let shift = 8u * (i % 4u);
  return select((low >> vec4u(shift)) | (high << vec4u(32u - shift)), low, vec4<bool>(shift == 0u));
}
fn a_at(i: u32, live: u32) -> vec4u {
  let w = i / 4u;
  let x = joined(vec4u(a[w], a[w + 1u], a[w + 2u], a[w + 3u]), vec4u(a[w + 1u], a[w + 2u], a[w + 3u], a[w + 4u]), i) ^ vec4u(A_SIGNS);
  let bytes = clamp(vec4i(i32(live)) - vec4i(0, 4, 8, 12), vec4i(), vec4i(4)); // of each word that belong to the row
  return x & select((vec4u(1u) << (8u * vec4u(bytes))) - 1u, vec4u(0xffffffffu), bytes == vec4i(4));
}
fn b_at(i: u32, live: u32) -> vec4u {
  let w = i / 4u;
  return joined(vec4u(b[w], b[w + 1u], b[w + 2u], b[w + 3u]), vec4u(b[w + 1u], b[w + 2u], b[w + 3u], b[w + 4u]), i) ^ vec4u(B_SIGNS);
}

//# packed
// Sums of products of 16 int8 of A with 16 of each of four columns of B, packed in words; word_dots: of 4 with 4.
fn dots(a: vec4u, b: Block) -> vec4i { return vec4i(dot16(a, b[0]), dot16(a, b[1]), dot16(a, b[2]), dot16(a, b[3])); }
fn dot16(a: vec4u, b: vec4u) -> i32 {
  return dot4I8Packed(a.x, b.x) + dot4I8Packed(a.y, b.y) + dot4I8Packed(a.z, b.z) + dot4I8Packed(a.w, b.w);
}
fn word_dots(a: u32, b: vec4u) -> vec4i {
  return vec4i(dot4I8Packed(a, b.x), dot4I8Packed(a, b.y), dot4I8Packed(a, b.z), dot4I8Packed(a, b.w));
}

//# shifts
// Where WGSL lacks packed_4x8_integer_dot_product: shifts unpack the bytes, those of `a` once for all columns.
fn dots(a: vec4u, b: Block) -> vec4i {
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

//# row
@group(0) @binding(8) var<storage, read> aScale: array<f32>;
fn of_row(v: vec4i, row: u32) -> vec4f { return vec4f(v) * aScale[row]; }

//# tensor
@group(0) @binding(8) var<storage, read> aScale: array<f32>;
fn of_row(v: vec4i, row: u32) -> vec4f { return vec4f(v) * aScale[0]; }

//# int32
fn of_row(v: vec4i, row: u32) -> vec4i { return v; }

//# int32_vec4
const OUT_UNIT = 4u;
@group(0) @binding(3) var<storage, read_write> output: array<vec4i>;
fn finish(v: vec4i, at: u32, column: u32, live: u32) { output[at] = v; }

//# int32_ragged
const OUT_UNIT = 1u;
@group(0) @binding(3) var<storage, read_write> output: array<i32>;
// Columns beyond the live ones write the last live one again, without a branch.
fn finish(v: vec4i, at: u32, column: u32, live: u32) {
  let last = live - 1u;
  let y = select(v.x, v.y, last > 0u);
  let z = select(y, v.z, last > 1u);
  output[at] = v.x;
  output[at + min(last, 1u)] = y;
  output[at + min(last, 2u)] = z;
  output[at + min(last, 3u)] = select(z, v.w, last > 2u);
}
