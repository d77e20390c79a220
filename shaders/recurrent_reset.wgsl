// recurrent_reset: reset = r * h, what the new gate of a GRU takes at step `first` where it is no product yet
//
// ports   Place, OWNERS, UNITS, share, sum_of, given, live_of, step_at (recurrent_sums)
//         state_of (recurrent_state)   f (recurrent_cell)
// consts  LANES LINES GATE_R

struct Params {
  first: u32, end: u32, steps: u32, batch: u32, directions: u32, backward: u32, hidden: u32, quarter: u32, rows: u32
}

@group(0) @binding(6) var<storage, read_write> reset: array<f32>; // [directions, batch, hidden]

@compute @workgroup_size(LINES, LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let wanted = group.x * LINES + local.x;
  let quad = min(wanted, params.quarter - 1u);
  let p = Place(group.z, group.y, quad, quad + local.y % OWNERS * params.quarter, local.x, local.y);
  let t = step_at(p, params.first);
  share(p, GATE_R, 1u);
  if wanted >= params.quarter || p.lane >= OWNERS { return; }
  let x = f(given(p, t, GATE_R) + sum_of(p, GATE_R)) * state_of(p, 0u, p.unit);
  let live = live_of(p.unit);
  let line = p.direction * params.batch + p.batch;
  for (var j = 0u; j < UNITS; j++) {
    if live[j] { reset[line * params.hidden + p.unit + j * params.quarter] = x[j]; }
  }
}
