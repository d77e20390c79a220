// add_step: STEP elements of K of a strip of 4·QUADS columns, added to the sums of an invocation of gemv. quads_of: the sums, four columns each.
// ports   Params, a_at (operand_a)   a_at (integer)   times_b, Sum4 (integer, operand_b)   b_at, times_scales, b16_at (operand_b)
// consts  STEP (kn_wide: the group of a scale, where scales are in groups)

//# block
// DEPTH elements of K, 4 columns.
fn add_step(sums: StepSums, a_start: u32, b_start: u32, k4: u32, n4: u32) -> StepSums {
  let x = a_at(a_start + k4 * (DEPTH / A_UNIT), params.k - DEPTH * k4);
  return sums + times_b(x, b_start, k4, n4);
}
const STEP = DEPTH;
const QUADS = 1u;
alias StepSums = Sum4;
fn quads_of(sums: StepSums) -> array<Sum4, QUADS> { return array<Sum4, QUADS>(sums); }

//# kn_deep
// B is [K,N]: 16 rows, 4 columns. For GPUs: many loads are on their way, and each is an addition away from the one before.
fn add_step(sums: StepSums, a_start: u32, b_start: u32, step: u32, n4: u32) -> StepSums {
  let live = params.n - 4u * n4;
  var row = a_start + step * (16u / A_UNIT);
  var at = b_start + step * 16u * params.ldb + n4 * (4u / B_UNIT);
  var part = select(sums, vec4f(), IN_GROUPS);
  for (var i = 0u; i < 4u; i++) {
    let x = a_at(row, 4u);
    part = fma(b_at(at, live), vec4f(x.x), part);
    part = fma(b_at(at + params.ldb, live), vec4f(x.y), part);
    at += 2u * params.ldb;
    part = fma(b_at(at, live), vec4f(x.z), part);
    part = fma(b_at(at + params.ldb, live), vec4f(x.w), part);
    at += 2u * params.ldb;
    row += 4u / A_UNIT;
  }
  if IN_GROUPS { part = sums + times_scales(part, 4u * step, n4); }
  return part;
}
const STEP = 16u;
const QUADS = 1u;
alias StepSums = vec4f;
fn quads_of(sums: StepSums) -> array<Sum4, QUADS> { return array<Sum4, QUADS>(sums); }

//# kn_wide
// B is [K,N]: 16 weights of a row at a time, STEP rows, 16 columns.
fn add_step(sums: StepSums, a_start: u32, b_start: u32, step: u32, n16: u32) -> StepSums {
  let first = step * (STEP / 4u);
  let end = min(first + STEP / 4u, params.k / 4u);
  var part = mat4x4f();
  for (var k4 = first; k4 < end; k4++) {
    let x = a_at(a_start + k4 * (4u / A_UNIT), 4u);
    let at = b_start + 4u * k4 * params.ldb + n16;
    part = add_row(part, x.x, b16_at(at));
    part = add_row(part, x.y, b16_at(at + params.ldb));
    part = add_row(part, x.z, b16_at(at + 2u * params.ldb));
    part = add_row(part, x.w, b16_at(at + 3u * params.ldb));
  }
  let n4 = 4u * n16;
  return sums + mat4x4f(
    times_scales(part[0], first, n4),
    times_scales(part[1], first, n4 + 1u),
    times_scales(part[2], first, n4 + 2u),
    times_scales(part[3], first, n4 + 3u),
  );
}
fn add_row(sums: mat4x4f, x: f32, w: mat4x4f) -> mat4x4f {
  let v = vec4f(x);
  return mat4x4f(fma(w[0], v, sums[0]), fma(w[1], v, sums[1]), fma(w[2], v, sums[2]), fma(w[3], v, sums[3]));
}
const QUADS = 4u;
alias StepSums = mat4x4f;
fn quads_of(sums: StepSums) -> array<Sum4, QUADS> { return array<Sum4, QUADS>(sums[0], sums[1], sums[2], sums[3]); }

//# nk_wide
// B is [N,K]: 16 weights of a column at a time, 4 columns. Loads are most of a software adapter's work, so wide ones are fast.
fn add_step(sums: StepSums, a_start: u32, b_start: u32, k16: u32, n4: u32) -> StepSums {
  let at = a_start + k16 * (16u / A_UNIT);
  let x = mat4x4f(a_at(at, 4u), a_at(at + 4u / A_UNIT, 4u), a_at(at + 8u / A_UNIT, 4u), a_at(at + 12u / A_UNIT, 4u));
  let column = min(vec4u(4u * n4) + vec4u(0u, 1u, 2u, 3u), vec4u(params.n - 1u)) * params.ldb + b_start + k16;
  let part = vec4f(dot16(x, b16_at(column.x)), dot16(x, b16_at(column.y)), dot16(x, b16_at(column.z)), dot16(x, b16_at(column.w)));
  return sums + times_scales(part, 4u * k16, n4);
}
fn dot16(x: mat4x4f, w: mat4x4f) -> f32 { return dot(x[0], w[0]) + dot(x[1], w[1]) + dot(x[2], w[2]) + dot(x[3], w[3]); }
const STEP = 16u;
const QUADS = 1u;
alias StepSums = vec4f;
fn quads_of(sums: StepSums) -> array<Sum4, QUADS> { return array<Sum4, QUADS>(sums); }
