// hidden_of: the hidden state that a product takes, of the units of a quad. hold: sets it for the next step.
// ports   Place, live_of (recurrent_sums)   Params (recurrent, recurrent_reset)
// consts  QUARTER

@group(0) @binding(5) var<storage, read> before: array<f32>; // [states, directions, batch, hidden]

// State `which` (0 hidden, 1 cell) before these steps.
fn state_of(p: Place, which: u32, quad: u32) -> vec4f {
  let at = ((which * params.directions + p.direction) * params.batch + p.batch) * params.hidden + quad;
  let found = vec4f(before[at], before[at + QUARTER], before[at + 2u * QUARTER], before[at + 3u * QUARTER]);
  return select(vec4f(), found, live_of(quad));
}

//# walk
// In workgroup memory: the workgroup has all units. Between two uses of `hold` is a barrier of `share`.
var<workgroup> held: array<vec4f, QUARTER>;
fn hidden_of(p: Place, quad: u32) -> vec4f { return held[quad]; }
fn hold(p: Place, h: vec4f) {
  if p.lane == 0u { held[p.quad] = h; }
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
  return select(vec4f(), vec4f(reset[at], reset[at + QUARTER], reset[at + 2u * QUARTER], reset[at + 3u * QUARTER]), live_of(quad));
}
fn hold(p: Place, h: vec4f) {}
