// finish: four sums become four outputs: apply(sum * scale + bias + residual), stored. A part for the terms that there are, a part for how
// they are read, one for what follows the activation, and one for matrix products.
// `at` is the place in the output, `column` the column, both in units of OUT_UNIT. `live` of the four exist.
// ports   store (store)   Elem, Elem4 (elem)   Sum4, of_row (integer, operand_b)   Params (operand_a)   finish (integer)
//         apply (functions, unary_math)

alias Value = f32;

//# none
fn finish(v: vec4f, at: u32, column: u32, live: u32) { store(at, activated(v), live); }

//# bias
fn finish(v: vec4f, at: u32, column: u32, live: u32) { store(at, activated(v + bias_at(column)), live); }

//# residual
fn finish(v: vec4f, at: u32, column: u32, live: u32) { store(at, activated(v + residual_at(at)), live); }

//# bias_residual
fn finish(v: vec4f, at: u32, column: u32, live: u32) { store(at, activated(v + bias_at(column) + residual_at(at)), live); }

//# scale
fn finish(v: vec4f, at: u32, column: u32, live: u32) { store(at, activated(v * scale_at(column)), live); }

//# scale_bias
fn finish(v: vec4f, at: u32, column: u32, live: u32) { store(at, activated(v * scale_at(column) + bias_at(column)), live); }

//# scale_residual
fn finish(v: vec4f, at: u32, column: u32, live: u32) { store(at, activated(v * scale_at(column) + residual_at(at)), live); }

//# scale_bias_residual
fn finish(v: vec4f, at: u32, column: u32, live: u32) {
  store(at, activated(v * scale_at(column) + bias_at(column) + residual_at(at)), live);
}

//# plain
fn activated(v: vec4f) -> vec4f { return apply(v); }

//# affine
@group(0) @binding(9) var<storage, read> affine: array<Elem>; // a factor and a term
fn activated(v: vec4f) -> vec4f { return f32(affine[0]) * apply(v) + f32(affine[1]); }

//# scales_vec4
@group(0) @binding(4) var<storage, read> scales: array<vec4f>; // [N], padded to a multiple of 4
fn scale_at(i: u32) -> vec4f { return B_SCALE * scales[i]; }

//# scales_ragged
@group(0) @binding(4) var<storage, read> scales: array<f32>; // [N], padded to a multiple of 4
fn scale_at(i: u32) -> vec4f { return B_SCALE * vec4f(scales[i], scales[i + 1u], scales[i + 2u], scales[i + 3u]); }

//# vec4
@group(0) @binding(5) var<storage, read> bias: array<Elem4>;
@group(0) @binding(6) var<storage, read> residual: array<Elem4>; // of the output's shape
fn bias_at(i: u32) -> vec4f { return vec4f(bias[i]); }
fn residual_at(i: u32) -> vec4f { return vec4f(residual[i]); }

//# ragged
@group(0) @binding(5) var<storage, read> bias: array<Elem>;
@group(0) @binding(6) var<storage, read> residual: array<Elem>; // of the output's shape
fn bias_at(i: u32) -> vec4f { return vec4f(f32(bias[i]), f32(bias[i + 1u]), f32(bias[i + 2u]), f32(bias[i + 3u])); }
fn residual_at(i: u32) -> vec4f { return vec4f(f32(residual[i]), f32(residual[i + 1u]), f32(residual[i + 2u]), f32(residual[i + 3u])); }

//# product
// A kernel hands over its sums one by one in a loop: inlined once a sum, 16 or 64 times, the epilogue took llvmpipe 18 s to compile and
// SwiftShader 5, in a loop 5 and 2.

// Columns past the last were computed from the last and are written again to where it is, without a branch.
fn finish_row(row: u32, n4: u32, batch: u32, v: Sum4) {
  let column4 = min(n4, (params.n - 1u) / 4u);
  let column = column4 * (4u / OUT_UNIT);
  let at = batch * params.c_batch + min(row, params.m - 1u) * params.ldc + column;
  finish(of_row(v, row), at, batch * params.column_batch + column, params.n - 4u * column4);
}
