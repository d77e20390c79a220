// hidden_of: the hidden state that a product takes, of the units of a quad. hold: sets it for the next step.
// ports   Place, OWNERS, live_of (recurrent_sums)   Params (recurrent, recurrent_reset)
// consts  LINES

@group(0) @binding(5) var<storage, read> before: array<f32>; // [states, directions, batch, hidden]

// State `which` (0 hidden, 1 cell) before these steps, of the units from `unit` on that are a quarter apart.
fn state_of(p: Place, which: u32, unit: u32) -> vec4f {
  let at = ((which * params.directions + p.direction) * params.batch + p.batch) * params.hidden + unit;
  let all = vec4u(0u, 1u, 2u, 3u) * params.quarter + at;
  return select(vec4f(), vec4f(before[all.x], before[all.y], before[all.z], before[all.w]), live_of(unit));
}

//# walk
// In workgroup memory: the workgroup has all units. Between two uses of `hold` is a barrier of `share`.
var<workgroup> held: array<vec4f, LINES>;
fn hidden_of(p: Place, quad: u32) -> vec4f { return held[quad]; }
fn hold(p: Place, h: vec4f) {
  if p.lane < OWNERS { held[p.quad][p.lane] = h.x; }
  workgroupBarrier();
}

//# step
fn hidden_of(p: Place, quad: u32) -> vec4f { return state_of(p, 0u, quad); }
fn hold(p: Place, h: vec4f) {}

//# step_reset
// The product takes what recurrent_reset.wgsl left, but for the gate z.
@group(0) @binding(7) var<storage, read> reset: array<f32>; // [directions, batch, hidden]
var<private> is_reset: bool;
fn hidden_of(p: Place, quad: u32) -> vec4f {
  if !is_reset { return state_of(p, 0u, quad); }
  let at = (p.direction * params.batch + p.batch) * params.hidden + quad;
  let all = vec4u(0u, 1u, 2u, 3u) * params.quarter + at;
  return select(vec4f(), vec4f(reset[all.x], reset[all.y], reset[all.z], reset[all.w]), live_of(quad));
}
fn hold(p: Place, h: vec4f) {}
