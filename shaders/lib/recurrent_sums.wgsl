// share: the products of the hidden state and the weights of gates, `count` from gate `first` on. sum_of: the product of one of them, for the
// lanes 0. given: what the input adds to a gate. extra: numbers of the units in the rows of the weights behind the gates.
//
// A quad is the hidden units q, q + QUARTER, q + 2 QUARTER and q + 3 QUARTER: neighbouring invocations read neighbouring rows of the weights.
// Units from params.hidden on do not exist. LANES invocations share the sums of a quad.
// ports   Elem, Elem4 (elem)   hidden_of (recurrent_state)   Params (recurrent, recurrent_reset)
// consts  LANES LINES GATES QUARTER

struct Place { direction: u32, batch: u32, quad: u32, line: u32, lane: u32 }

@group(0) @binding(1) var<storage, read> gates: array<Elem>; // [steps, batch, directions, GATES, hidden]
@group(0) @binding(2) var<storage, read> weights: array<Elem4>; // [directions, QUARTER, rows]: for a block of hidden units, as those of a quad

fn live_of(quad: u32) -> vec4<bool> { return vec4u(0u, 1u, 2u, 3u) * QUARTER + quad < vec4u(params.hidden); }

fn given(p: Place, t: u32, gate: u32) -> vec4f {
  let at = (((t * params.batch + p.batch) * params.directions + p.direction) * GATES + gate) * params.hidden;
  let last = at + params.hidden - 1u;
  let own = at + p.quad;
  return vec4f(f32(gates[min(own, last)]), f32(gates[min(own + QUARTER, last)]), f32(gates[min(own + 2u * QUARTER, last)]),
    f32(gates[min(own + 3u * QUARTER, last)]));
}

fn extra(p: Place, row: u32) -> vec4f {
  return vec4f(weights[(p.direction * QUARTER + p.quad) * params.rows + GATES * params.hidden + row]);
}

fn share(p: Place, first: u32, count: u32) {
  var sums: array<vec4f, GATES>;
  for (var k = p.lane; k < QUARTER; k += LANES) {
    let h = hidden_of(p, k);
    let at = (p.direction * QUARTER + k) * params.rows + first * params.hidden + p.quad;
    for (var i = 0u; i < count; i++) {
      let row = at + i * params.hidden;
      sums[i] += vec4f(dot(vec4f(weights[row]), h), dot(vec4f(weights[row + QUARTER]), h), dot(vec4f(weights[row + 2u * QUARTER]), h),
        dot(vec4f(weights[row + 3u * QUARTER]), h));
    }
  }
  keep(p, sums, first, count);
}

//# serial
var<private> kept: array<vec4f, GATES>;
fn keep(p: Place, sums: array<vec4f, GATES>, first: u32, count: u32) {
  var all = sums;
  for (var i = 0u; i < count; i++) { kept[first + i] = all[i]; }
}
fn sum_of(p: Place, gate: u32) -> vec4f { return kept[gate]; }

//# workgroup
var<workgroup> kept: array<vec4f, GATES * LANES * LINES>;
fn keep(p: Place, sums: array<vec4f, GATES>, first: u32, count: u32) {
  var all = sums;
  for (var i = 0u; i < count; i++) { kept[((first + i) * LANES + p.lane) * LINES + p.line] = all[i]; }
  workgroupBarrier();
}
fn sum_of(p: Place, gate: u32) -> vec4f {
  var sum = vec4f();
  for (var lane = 0u; lane < LANES; lane++) { sum += kept[(gate * LANES + lane) * LINES + p.line]; }
  return sum;
}
