// recurrent: (h, c) = cell(gates[t] + h · weights, c) for steps `first` to `end`; output[t] is h
//
// The LINES of a workgroup are quads of hidden units of a sequence and a direction; a workgroup that has all of them
// walks all steps. A sequence ends at its length: states stay, and the output is 0. The first direction may be
// `backward`, from the last step to the first, the second is.
// ports   Elem (elem)   Place, OWNERS, UNITS, live_of, step_at (recurrent_sums)   state_of, hold (recurrent_state)
//         advance (recurrent_cell)
// consts  LANES LINES STATES

struct Params {
  first: u32, end: u32, steps: u32, batch: u32, directions: u32, backward: u32, hidden: u32, quarter: u32, rows: u32
}

@group(0) @binding(3) var<storage, read_write> output: array<Elem>; // [steps, directions, batch, hidden]
@group(0) @binding(4) var<storage, read> lengths: array<i32>; // [batch]
@group(0) @binding(6) var<storage, read_write> after: array<f32>; // as `before`

@compute @workgroup_size(LINES, LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let wanted = group.x * LINES + local.x;
  let quad = min(wanted, params.quarter - 1u);
  let p = Place(group.z, group.y, quad, quad + local.y % OWNERS * params.quarter, local.x, local.y);
  let live = live_of(p.unit);
  let writes = wanted < params.quarter && p.lane < OWNERS;
  let length = lengths[p.batch];
  let line = p.direction * params.batch + p.batch;
  let lines = params.directions * params.batch;
  var h = state_of(p, 0u, p.unit);
  var c = vec4f();
  if STATES == 2u { c = state_of(p, 1u, p.unit); }
  hold(p, h);
  for (var step = params.first; step < params.end; step++) {
    let t = step_at(p, step);
    let there = live & vec4<bool>(i32(t) < length);
    var next = advance(p, t, h, c);
    h = select(h, next[0], there);
    c = select(c, next[1], there);
    if writes {
      let now = select(vec4f(), h, there);
      for (var j = 0u; j < UNITS; j++) {
        let unit = p.unit + j * params.quarter;
        if live[j] { output[(t * lines + line) * params.hidden + unit] = Elem(now[j]); }
      }
    }
    hold(p, h);
  }
  if !writes { return; }
  for (var j = 0u; j < UNITS; j++) {
    if !live[j] { continue; }
    let at = line * params.hidden + p.unit + j * params.quarter;
    after[at] = h[j];
    if STATES == 2u { after[lines * params.hidden + at] = c[j]; }
  }
}
