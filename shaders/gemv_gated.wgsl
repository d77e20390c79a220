// gemv_gated: C[1,N] = apply(gate) * value, where [gate, value] = A[1,K] · B[K,2N] + bias: the gated unit of a decoder, for one row
//
// As gemv, but that a line has two strips of columns, those of the gate and N columns further those of the value.
// ports   Params (operand_a)   reduce_sum (reducer)   finish_gated (epilogue)   row_factor, over_row (row_norm)
//         StepSums, add_step, quads_of (gemv_step)
// consts  as gemv

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
