// advance: a step of a cell: [hidden, cell] of an owner's units from those before. It is right in the lanes up to OWNERS.
// ports   Place, OWNERS, share, sum_of, given, extra, live_of (recurrent_sums)   hold (recurrent_state)
//         activate, bounded (gate)
// consts  F G H, each with ALPHA and BETA: activations   GATE_I GATE_O GATE_F GATE_G GATE_Z GATE_R: places of gates

fn f(x: vec4f) -> vec4f { return activate(F, F_ALPHA, F_BETA, bounded(x)); }
fn g(x: vec4f) -> vec4f { return activate(G, G_ALPHA, G_BETA, bounded(x)); }

//# rnn
fn advance(p: Place, t: u32, h: vec4f, c: vec4f) -> array<vec4f, 2> {
  share(p, 0u, 1u);
  return array(f(given(p, t, 0u) + sum_of(p, 0u)), c);
}

//# lstm
// COUPLED: the forget gate is 1 - i. PEEPHOLES: rows i, o, f behind the gates.
fn peephole(p: Place, row: u32, c: vec4f) -> vec4f {
  if !PEEPHOLES { return vec4f(); }
  return extra(p, row) * c;
}
fn advance(p: Place, t: u32, h: vec4f, c: vec4f) -> array<vec4f, 2> {
  share(p, 0u, 4u);
  if p.lane >= OWNERS { return array(h, c); }
  let i = f(given(p, t, GATE_I) + sum_of(p, GATE_I) + peephole(p, 0u, c));
  var forget = 1.0 - i;
  if !COUPLED { forget = f(given(p, t, GATE_F) + sum_of(p, GATE_F) + peephole(p, 2u, c)); }
  let cell = forget * c + i * g(given(p, t, GATE_G) + sum_of(p, GATE_G));
  let o = f(given(p, t, GATE_O) + sum_of(p, GATE_O) + peephole(p, 1u, cell));
  return array(o * activate(H, H_ALPHA, H_BETA, cell), cell);
}

//# gru_after
// The reset gate applies to the product. Rows behind the gates: the recurrent bias.
fn biased(p: Place, gate: u32) -> vec4f {
  if !BIASED { return sum_of(p, gate); }
  return sum_of(p, gate) + extra(p, gate);
}
fn advance(p: Place, t: u32, h: vec4f, c: vec4f) -> array<vec4f, 2> {
  share(p, 0u, 3u);
  if p.lane >= OWNERS { return array(h, c); }
  let z = f(given(p, t, GATE_Z) + biased(p, GATE_Z));
  let r = f(given(p, t, GATE_R) + biased(p, GATE_R));
  let n = g(given(p, t, 2u) + r * biased(p, 2u));
  return array((1.0 - z) * n + z * h, c);
}

//# gru_before
// The reset gate applies to the state that the product takes.
fn advance(p: Place, t: u32, h: vec4f, c: vec4f) -> array<vec4f, 2> {
  share(p, 0u, 2u);
  let z = f(given(p, t, GATE_Z) + sum_of(p, GATE_Z));
  let r = f(given(p, t, GATE_R) + sum_of(p, GATE_R));
  hold(p, select(vec4f(), r * h, live_of(p.unit)));
  share(p, 2u, 1u);
  let n = g(given(p, t, 2u) + sum_of(p, 2u));
  return array((1.0 - z) * n + z * h, c);
}

//# gru_new
// As gru_before, where recurrent_reset.wgsl ran before.
fn advance(p: Place, t: u32, h: vec4f, c: vec4f) -> array<vec4f, 2> {
  share(p, GATE_Z, 1u);
  is_reset = true;
  share(p, 2u, 1u);
  let z = f(given(p, t, GATE_Z) + sum_of(p, GATE_Z));
  let n = g(given(p, t, 2u) + sum_of(p, 2u));
  return array((1.0 - z) * n + z * h, c);
}
