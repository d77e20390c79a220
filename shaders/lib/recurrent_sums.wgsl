// share: the products of the hidden state and the weights of gates, `count` from gate `first` on. sum_of: the product
// of one of them. given: what the input adds to a gate. extra: numbers of the units in the rows of the weights behind
// the gates.
//
// quarter is hidden/4, rounded up. A quad is the hidden units q, q + quarter, q + 2 quarter and q + 3 quarter:
// neighbouring invocations read neighbouring rows of the weights. Units from `hidden` on do not exist. LANES
// invocations share the sums of a quad. OWNERS of them have its states, UNITS each: a GPU has registers for one. Of a
// vec4f of an owner's units the first UNITS count.
// ports   Elem, Elem4 (elem)   hidden_of (recurrent_state)   Params (recurrent, recurrent_reset)
// consts  LANES LINES GATES

struct Place { direction: u32, batch: u32, quad: u32, unit: u32, line: u32, lane: u32 } // unit: an owner's first

@group(0) @binding(1) var<storage, read> gates: array<Elem>; // [steps, batch, directions, GATES, hidden]
@group(0) @binding(2) var<storage, read> weights: array<Elem4>; // [directions, quarter, rows]: by the units of a quad

fn live_of(unit: u32) -> vec4<bool> { return vec4u(0u, 1u, 2u, 3u) * params.quarter + unit < vec4u(params.hidden); }

fn step_at(p: Place, step: u32) -> u32 {
  return select(step, params.steps - 1u - step, params.backward == 1u || p.direction == 1u);
}

fn given(p: Place, t: u32, gate: u32) -> vec4f {
  let at = (((t * params.batch + p.batch) * params.directions + p.direction) * GATES + gate) * params.hidden;
  let last = at + params.hidden - 1u;
  let all = min(vec4u(0u, 1u, 2u, 3u) * params.quarter + at + p.unit, vec4u(last));
  return vec4f(f32(gates[all.x]), f32(gates[all.y]), f32(gates[all.z]), f32(gates[all.w]));
}

fn extra(p: Place, row: u32) -> vec4f {
  return own(p, vec4f(weights[(p.direction * params.quarter + p.quad) * params.rows + GATES * params.hidden + row]));
}

fn share(p: Place, first: u32, count: u32) {
  var sums: array<vec4f, GATES>;
  for (var k = p.lane; k < params.quarter; k += LANES) {
    let h = hidden_of(p, k);
    let at = (p.direction * params.quarter + k) * params.rows + first * params.hidden + p.quad;
    for (var i = 0u; i < count; i++) {
      let row = vec4u(0u, 1u, 2u, 3u) * params.quarter + at + i * params.hidden;
      sums[i] = add_rows(sums[i], row, h);
    }
  }
  keep(p, sums, first, count);
}

//# serial
const OWNERS = 1u;
const UNITS = 4u;
fn own(p: Place, quad: vec4f) -> vec4f { return quad; }
fn add_rows(sum: vec4f, row: vec4u, h: vec4f) -> vec4f {
  return sum + vec4f(dot(vec4f(weights[row.x]), h), dot(vec4f(weights[row.y]), h),
    dot(vec4f(weights[row.z]), h), dot(vec4f(weights[row.w]), h));
}
var<private> kept: array<vec4f, GATES>;
fn keep(p: Place, sums: array<vec4f, GATES>, first: u32, count: u32) {
  var all = sums;
  for (var i = 0u; i < count; i++) { kept[first + i] = all[i]; }
}
fn sum_of(p: Place, gate: u32) -> vec4f { return kept[gate]; }

//# workgroup
const OWNERS = 4u;
const UNITS = 1u;
fn own(p: Place, quad: vec4f) -> vec4f { return vec4f(quad[p.lane % OWNERS]); }
// One after the other: of four rows that are on their way Intel's compiler spills 9 registers.
fn add_rows(sum: vec4f, row: vec4u, h: vec4f) -> vec4f {
  var next = sum;
  next.x += dot(vec4f(weights[row.x]), h);
  next.y += dot(vec4f(weights[row.y]), h);
  next.z += dot(vec4f(weights[row.z]), h);
  next.w += dot(vec4f(weights[row.w]), h);
  return next;
}
var<workgroup> kept: array<vec4f, GATES * LANES * LINES>;
fn keep(p: Place, sums: array<vec4f, GATES>, first: u32, count: u32) {
  var all = sums;
  for (var i = 0u; i < count; i++) { kept[((first + i) * LANES + p.lane) * LINES + p.line] = all[i]; }
  workgroupBarrier();
}
fn sum_of(p: Place, gate: u32) -> vec4f {
  var sum = 0.0;
  for (var lane = 0u; lane < LANES; lane++) { sum += kept[(gate * LANES + lane) * LINES + p.line][p.lane % OWNERS]; }
  return vec4f(sum);
}
