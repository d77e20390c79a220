// gemv: C[M,N] = epilogue(A[M,K] · B[K,N]) for few rows, where reading B is all the work
//
// LANES invocations, a line, share a strip of 4·QUADS columns of a row of C: each sums up its steps of STEP elements along K, and the first
// adds up their sums. Neighbours read B in order: of [K,N] lines are beside one another, of [N,K] lanes. LANES = 1 (serial) is for software
// adapters.
//
//    B [K,N]      line 0     line 1             B [N,K]      STEP of K
//              ┌──────────┬──────────┐                    ┌──────────┬──────────┬──────────┐
//    STEP of K │  lane 0  │  lane 0  │                    │  lane 0  │  lane 1  │  lane 0  │ line 0
//              ├──────────┼──────────┤                    ├──────────┼──────────┼──────────┤
//              │  lane 1  │  lane 1  │      LANES = 2     │  lane 0  │  lane 1  │  lane 0  │ line 1
//              └──────────┴──────────┘                    └──────────┴──────────┴──────────┘
//
// add_step: a step of a strip, added to the sums of an invocation. quads_of: these, four columns each.
//
// Gated, for one row: C[1,N] = apply(gate) * value, where [gate, value] = A[1,K] · B[K,2N] + bias, the gated unit of a decoder. A line has two
// strips of columns then, those of the gate and N columns further those of the value.
//
// ports   Params, row_factor, over_row (operand_a)   reduce_sum (reducer, reducer_integer)   finish_row, finish_gated (epilogue)
//         a_at (integer, operand_a)   times_b, Sum4 (integer, operand_b)   b_at, times_scales, b16_at, quad_of_b16 (operand_b)
// consts  WG_X WG_Y LANES   K_ALONG_X (the lanes are x, else y)   STEP (kn_wide: the group of a scale, where scales are in groups)

//# single
@compute @workgroup_size(WG_X, WG_Y)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let lane = select(local.y, local.x, K_ALONG_X != 0u);
  let line = select(local.x, local.y, K_ALONG_X != 0u);
  let strips = (params.n + 4u * QUADS - 1u) / (4u * QUADS);
  let wanted = group.x * (WG_X * WG_Y / LANES) + line;
  let strip = min(wanted, strips - 1u);
  let row = group.y;
  let a_start = group.z * params.a_batch + row * params.lda;
  let b_start = group.z * params.b_batch;
  let factor = row_factor(lane, line);
  var sums = StepSums();
  for (var step = lane; step * STEP < params.k; step += LANES) { sums = add_step(sums, a_start, b_start, step, strip); }
  var quads = quads_of(sums);
  for (var i = 0u; i < QUADS; i++) {
    let sum = over_row(reduce_sum(quads[i], lane, line), factor);
    if lane == 0u && wanted < strips { finish_row(row, QUADS * strip + i, group.z, sum); }
  }
}

//# gated
@compute @workgroup_size(WG_X, WG_Y)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let lane = select(local.y, local.x, K_ALONG_X != 0u);
  let line = select(local.x, local.y, K_ALONG_X != 0u);
  let strips = params.n / (8u * QUADS);
  let wanted = group.x * (WG_X * WG_Y / LANES) + line;
  let strip = min(wanted, strips - 1u);
  let factor = row_factor(lane, line);
  var gate = StepSums();
  var value = StepSums();
  for (var step = lane; step * STEP < params.k; step += LANES) {
    gate = add_step(gate, 0u, 0u, step, strip);
    value = add_step(value, 0u, 0u, step, strips + strip);
  }
  var gates = quads_of(gate);
  var values = quads_of(value);
  for (var i = 0u; i < QUADS; i++) {
    let g = over_row(reduce_sum(gates[i], lane, line), factor);
    let v = over_row(reduce_sum(values[i], lane, line), factor);
    if lane == 0u && wanted < strips { finish_gated(QUADS * strip + i, g, v); }
  }
}

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

//# kn_rows
// B is [K,N]: 16 weights of a row at a time, 4 rows, 16 columns. For GPUs: a quad of weights is used before the next is read.
fn add_step(sums: StepSums, a_start: u32, b_start: u32, k4: u32, n16: u32) -> StepSums {
  let x = a_at(a_start + k4 * (4u / A_UNIT), 4u);
  var at = b_start + 4u * k4 * params.ldb + n16;
  var part = sums;
  for (var i = 0u; i < 4u; i++) {
    let v = vec4f(x[i]);
    part[0] = fma(quad_of_b16(at, 0u), v, part[0]);
    part[1] = fma(quad_of_b16(at, 1u), v, part[1]);
    part[2] = fma(quad_of_b16(at, 2u), v, part[2]);
    part[3] = fma(quad_of_b16(at, 3u), v, part[3]);
    at += params.ldb;
  }
  return part;
}
const STEP = 4u;
const QUADS = 4u;
alias StepSums = mat4x4f;
fn quads_of(sums: StepSums) -> array<Sum4, QUADS> { return array<Sum4, QUADS>(sums[0], sums[1], sums[2], sums[3]); }

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
