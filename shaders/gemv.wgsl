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
// ports   Params (operand_a)   reduce_sum (reducer, reducer_integer)   finish_row (epilogue)   row_factor, over_row (row_norm)
//         StepSums, add_step, quads_of (gemv_step)
// consts  WG_X WG_Y LANES   K_ALONG_X (the lanes are x, else y)

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
