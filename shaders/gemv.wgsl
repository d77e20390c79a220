// gemv: C[M,N] = epilogue(A[M,K] · B[K,N]) for few rows, where reading B is all the work
//
// An invocation sums QUADS times four columns of one row over its share of K. LANES invocations share these columns and
// add up their sums. Neighbours read B in order: neighbouring columns of [K,N], neighbouring K of [N,K]. LANES = 1
// (serial) is for software adapters.
//
// ports   Sum4 (outer)   Elem4 (elem)   Params (gemm)   a_at (operand_a)   add_step, quads_of (gemv_step)   finish_row (gemm_finish)
//         reduce_sum (reducer)
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
  var sums = StepSums();
  for (var step = lane; step * STEP < params.k; step += LANES) { sums = add_step(sums, a_start, b_start, step, strip); }
  var quads = quads_of(sums);
  for (var i = 0u; i < QUADS; i++) {
    let sum = reduce_sum(quads[i], lane, line);
    if lane == 0u && wanted < strips { finish_row(row, QUADS * strip + i, group.z, sum); }
  }
}
