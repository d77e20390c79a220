// gemv: C[M,N] = epilogue(A[M,K] · B[K,N]) for few rows, where reading B is all the work
//
// An invocation sums four columns of one row over its share of K; the LANES that share those columns add up their sums.
// For B as [K,N] neighbours take neighbouring columns, for [N,K] they take neighbouring K: both read B in order.
// LANES = 1 (serial) is the form for software adapters.
//
// ports   Sum4 DEPTH (outer)   Elem4 (elem)   Params (gemm)   a_at (operand_a)   b_at (operand_b)   times_b (layout_b)   finish_row (gemm_finish)
//         reduce_sum (reducer)
// consts  WG_X WG_Y LANES   K_ALONG_X (the lanes are x, else y)

@compute @workgroup_size(WG_X, WG_Y)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let lane = select(local.y, local.x, K_ALONG_X != 0u);
  let line = select(local.x, local.y, K_ALONG_X != 0u);
  let n4s = (params.n + 3u) / 4u;
  let wanted = group.x * (WG_X * WG_Y / LANES) + line;
  let n4 = min(wanted, n4s - 1u);
  let row = group.y;
  let a_start = group.z * params.a_batch + row * params.lda;
  let b_start = group.z * params.b_batch;
  var sum = Sum4();
  for (var k4 = lane; DEPTH * k4 < params.k; k4 += LANES) {
    sum += times_b(a_at(a_start + k4 * (DEPTH / A_UNIT), params.k - DEPTH * k4), b_start, k4, n4);
  }
  sum = reduce_sum(sum, lane, line);
  if lane == 0u && wanted < n4s { finish_row(row, n4, group.z, sum); }
}
