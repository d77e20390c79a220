// finish: four sums become four outputs: apply(sum * scale + bias + residual), stored. A part for the terms that there are, a part for how
// they are read, one for what follows the activation, and one for matrix products.
// `at` is the place in the output, `column` the column, both in units of OUT_UNIT. `live` of the four exist.
// ports   store (store)   Elem, Elem4 (elem)   Sum4, of_row (integer, operand_b)   Params (operand_a)   finish (integer)
//         apply (functions, unary_math)

alias Value = f32;

//# none
fn summed(v: vec4f, at: u32, column: u32) -> vec4f { return v; }

//# bias
fn summed(v: vec4f, at: u32, column: u32) -> vec4f { return v + bias_at(column); }

//# residual
fn summed(v: vec4f, at: u32, column: u32) -> vec4f { return v + residual_at(at); }

//# bias_residual
fn summed(v: vec4f, at: u32, column: u32) -> vec4f { return v + bias_at(column) + residual_at(at); }

//# scale
fn summed(v: vec4f, at: u32, column: u32) -> vec4f { return v * scale_at(column); }

//# scale_bias
fn summed(v: vec4f, at: u32, column: u32) -> vec4f { return v * scale_at(column) + bias_at(column); }

//# scale_residual
fn summed(v: vec4f, at: u32, column: u32) -> vec4f { return v * scale_at(column) + residual_at(at); }

//# scale_bias_residual
fn summed(v: vec4f, at: u32, column: u32) -> vec4f { return v * scale_at(column) + bias_at(column) + residual_at(at); }

//# plain
fn finish(v: vec4f, at: u32, column: u32, live: u32) { store(at, apply(summed(v, at, column)), live); }

//# affine
@group(0) @binding(9) var<storage, read> affine: array<Elem>; // a factor and a term
fn finish(v: vec4f, at: u32, column: u32, live: u32) {
  store(at, f32(affine[0]) * apply(summed(v, at, column)) + f32(affine[1]), live);
}

//# gated
// Of one row whose columns are two halves, the gate first, each in whole vec4: `n4` counts those of a half. The activation is that of the gate.
fn finish_gated(n4: u32, gate: Sum4, value: Sum4) {
  let column = n4 * (4u / OUT_UNIT);
  store(column, apply(summed(gate, column, column)) * summed(value, column, column + params.n / (2u * OUT_UNIT)), 4u);
}

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
