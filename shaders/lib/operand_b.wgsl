// The right operand of a product, or weights, and products with them. integer.wgsl has the same for int8 by int8.
// A part for each of: what is in memory, how it lies there, how bytes become floats, the layout, scales in groups.
// b_at               four consecutive elements as float32, before their scale. `i` counts B_UNIT elements; only the first `live` of the
//                    four belong to the row, the rest read as zero
// b16_at             sixteen, four to a column of the matrix; quad_of_b16: one of these columns
// block_b, times_b   rows 4·k4.. and columns 4·n4.. of B; a column of the matrix is a row of B. Four elements x of A times that
// tap_of_b           the distance between two taps
// scaled.., times_scales   with scales, one for GROUP elements along K of a column; a 4×4 block of B is within one group

alias Pair = vec2f; // half a quad
alias Quad = vec4f; // what is read at once along K
alias Block = mat4x4f; // four quads: rows of A, rows of B
alias Sum4 = vec4f; // sums of four columns
alias Sums = mat4x4f; // four rows of them
const DEPTH = 4u; // elements of K in a block
fn of_row(v: vec4f, row: u32) -> vec4f { return v; } // what sums of a row stand for

// NaN times zero is not zero.
fn inside_or_zero(x: vec4f, inside: u32) -> vec4f { return bitcast<vec4f>(bitcast<vec4u>(x) & vec4u(inside)); }

// Columns of `a` are rows of A (over k), columns of `b` are rows of B (over n), columns of the result are rows of C.
fn outer(acc: Sums, a: Block, b: Block) -> Sums {
  return mat4x4f(row_times(acc[0], a[0], b), row_times(acc[1], a[1], b), row_times(acc[2], a[2], b), row_times(acc[3], a[3], b));
}
fn row_times(acc: vec4f, a: vec4f, b: mat4x4f) -> vec4f {
  return fma(b[3], vec4f(a.w), fma(b[2], vec4f(a.z), fma(b[1], vec4f(a.y), fma(b[0], vec4f(a.x), acc))));
}

@group(0) @binding(2) var<storage, read> b: array<B>;

//# dense
const B_UNIT = 4u;
alias B = Elem4;
fn b_at(i: u32, live: u32) -> vec4f { return vec4f(b[i]); }

//# dense_wide
const B_UNIT = 16u;
alias B = mat4x4<Elem>;
fn b16_at(i: u32) -> mat4x4f { return mat4x4f(b[i]); }
fn quad_of_b16(i: u32, quad: u32) -> vec4f { return vec4f(b[i][quad]); }

//# half
// float16 as bits, for devices without shader-f16 and for float16 weights of float32 activations.
const B_UNIT = 4u;
alias B = vec2u;
fn b_at(i: u32, live: u32) -> vec4f { return vec4f(unpack2x16float(b[i].x), unpack2x16float(b[i].y)); }

//# q8
const B_UNIT = 4u;
const B_SCALE = BYTE;
alias B = u32; // four int8, symmetric
fn b_at(i: u32, live: u32) -> vec4f { return bytes(b[i]); }

//# q4
const B_UNIT = 4u;
const B_SCALE = NIBBLE;
alias B = u32; // eight int4, symmetric: the low nibbles of the bytes are the first four, the high ones the next four
fn b_at(i: u32, live: u32) -> vec4f { return nibbles(b[i / 2u] * select(16u, 1u, i % 2u == 1u)); }

//# q8_wide
const B_UNIT = 16u;
const B_SCALE = BYTE;
alias B = vec4u;
fn b16_at(i: u32) -> mat4x4f {
  let w = b[i];
  return mat4x4f(bytes(w.x), bytes(w.y), bytes(w.z), bytes(w.w));
}
fn quad_of_b16(i: u32, quad: u32) -> vec4f { return bytes(b[i][quad]); }

//# q4_wide
const B_UNIT = 16u;
const B_SCALE = NIBBLE;
alias B = vec2u;
fn b16_at(i: u32) -> mat4x4f {
  let w = b[i];
  return mat4x4f(nibbles(w.x * 16u), nibbles(w.x), nibbles(w.y * 16u), nibbles(w.y));
}
fn quad_of_b16(i: u32, quad: u32) -> vec4f { return nibbles(b[i][quad / 2u] * select(16u, 1u, quad % 2u == 1u)); }

//# dense_ragged
const B_UNIT = 1u;
alias B = Elem;
fn b_at(i: u32, live: u32) -> vec4f {
  return select(vec4f(), vec4f(f32(b[i]), f32(b[i + 1u]), f32(b[i + 2u]), f32(b[i + 3u])), vec4u(0u, 1u, 2u, 3u) < vec4u(live));
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

//# products
// Products stand for shifts: SwiftShader does shifts lane by lane, and a matrix-vector product takes 1.2 to 1.7 times as long with them.
// unpack4x8snorm takes 1.1 to 1.3 times as long on SwiftShader and llvmpipe, and has no -128.

// A byte is moved to the top of a word, where its sign is the word's, and converted: that is exact. Scales make up for it (B_SCALE).
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
// The high nibbles of the bytes: high halves of bytes whose low halves are zero. nibbles(16 * w) are the low ones.
fn nibbles(w: u32) -> vec4f { return vec4f(unpack4xI8(w & 0xf0f0f0f0u)); }

//# kn
// B is [K,N].
fn block_b(start: u32, k4: u32, n4: u32) -> mat4x4f {
  let at = start + 4u * k4 * params.ldb + n4 * (4u / B_UNIT);
  let live = params.n - 4u * n4;
  let depth = params.k - 4u * k4; // rows after the last read the last one: A is zero there
  let block = mat4x4f(
    b_at(at, live), b_at(at + min(1u, depth - 1u) * params.ldb, live),
    b_at(at + min(2u, depth - 1u) * params.ldb, live), b_at(at + min(3u, depth - 1u) * params.ldb, live),
  );
  return scaled(block, k4, n4);
}
fn times_b(x: vec4f, start: u32, k4: u32, n4: u32) -> vec4f { return block_b(start, k4, n4) * x; }
fn tap_of_b() -> u32 { return params.k * params.ldb; }
// A pair along K of a row of A times that of four columns of B: two rows of B.
fn add_pair(acc: vec4f, a: vec2f, b: vec4f, c: vec4f) -> vec4f { return fma(c, vec4f(a.y), fma(b, vec4f(a.x), acc)); }

//# nk
// B is [N,K], as PyTorch has a Linear's weight.
fn columns_of_b(start: u32, k4: u32, n4: u32) -> mat4x4f {
  let at = start + k4 * (4u / B_UNIT);
  let live = params.k - 4u * k4;
  let column = min(vec4u(4u * n4) + vec4u(0u, 1u, 2u, 3u), vec4u(params.n - 1u)) * params.ldb + at;
  return scaled(mat4x4f(b_at(column.x, live), b_at(column.y, live), b_at(column.z, live), b_at(column.w, live)), k4, n4);
}
fn block_b(start: u32, k4: u32, n4: u32) -> mat4x4f { return transpose(columns_of_b(start, k4, n4)); }
fn times_b(x: vec4f, start: u32, k4: u32, n4: u32) -> vec4f { return x * columns_of_b(start, k4, n4); }
fn tap_of_b() -> u32 { return params.k / B_UNIT; }
// A pair along K of a row of A times that of four columns of B, two of which are in `b` and two in `c`.
fn add_pair(acc: vec4f, a: vec2f, b: vec4f, c: vec4f) -> vec4f {
  return fma(vec4f(b.yw, c.yw), vec4f(a.y), fma(vec4f(b.xz, c.xz), vec4f(a.x), acc));
}

//# whole
const IN_GROUPS = false; // a scale belongs to a whole column
fn scaled(block: mat4x4f, k4: u32, n4: u32) -> mat4x4f { return block; }
fn scaled_quad(v: vec4f, k4: u32, at: u32) -> vec4f { return v; }
fn times_scales(v: vec4f, k4: u32, n4: u32) -> vec4f { return v; }

//# kn_groups
const IN_GROUPS = true;
@group(0) @binding(4) var<storage, read> scales: array<vec4f>; // [K/GROUP, N]
fn scales_of(k4: u32, n4: u32) -> vec4f { return B_SCALE * scales[4u * k4 / GROUP * (params.n / 4u) + n4]; }
fn scaled_quad(v: vec4f, k4: u32, at: u32) -> vec4f { return v * scales_of(k4, at); } // four columns of a row of B
fn times_scales(v: vec4f, k4: u32, n4: u32) -> vec4f { return v * scales_of(k4, n4); }
fn scaled(block: mat4x4f, k4: u32, n4: u32) -> mat4x4f {
  let s = scales_of(k4, n4);
  return mat4x4f(block[0] * s, block[1] * s, block[2] * s, block[3] * s);
}

//# kn_groups_ragged
@group(0) @binding(4) var<storage, read> scales: array<f32>; // [K/GROUP, N]
fn scales_of(k4: u32, n4: u32) -> vec4f {
  let at = 4u * k4 / GROUP * params.n + 4u * n4;
  return B_SCALE * vec4f(scales[at], scales[at + 1u], scales[at + 2u], scales[at + 3u]);
}
fn scaled_quad(v: vec4f, k4: u32, at: u32) -> vec4f { return v * scales_of(k4, at); } // four columns of a row of B
fn scaled(block: mat4x4f, k4: u32, n4: u32) -> mat4x4f {
  let s = scales_of(k4, n4);
  return mat4x4f(block[0] * s, block[1] * s, block[2] * s, block[3] * s);
}

//# nk_groups
@group(0) @binding(4) var<storage, read> scales: array<f32>; // [N, K/GROUP]
fn scales_of(k4: u32, n4: u32) -> vec4f {
  let column = min(vec4u(4u * n4) + vec4u(0u, 1u, 2u, 3u), vec4u(params.n - 1u));
  let at = (column * params.k + 4u * k4) / GROUP;
  return B_SCALE * vec4f(scales[at.x], scales[at.y], scales[at.z], scales[at.w]);
}
fn scaled_quad(v: vec4f, k4: u32, at: u32) -> vec4f { return v * (B_SCALE * scales[(at * params.k + 4u * k4) / GROUP]); } // of a column
fn times_scales(v: vec4f, k4: u32, n4: u32) -> vec4f { return v * scales_of(k4, n4); }
fn scaled(block: mat4x4f, k4: u32, n4: u32) -> mat4x4f {
  let s = scales_of(k4, n4);
  return mat4x4f(block[0] * s.x, block[1] * s.y, block[2] * s.z, block[3] * s.w);
}
