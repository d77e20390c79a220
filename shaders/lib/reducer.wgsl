// reduce_sum, reduce_max: over the LANES invocations of a line. All of them get the result.
// consts  LANES LINES

//# serial
fn reduce_sum(x: vec4f, lane: u32, line: u32) -> vec4f { return x; }
fn reduce_max(x: vec4f, lane: u32, line: u32) -> vec4f { return x; }

//# workgroup
// A tree in workgroup memory; LANES is a power of two.
var<workgroup> shares: array<vec4f, LANES * LINES>;

fn reduce_sum(x: vec4f, lane: u32, line: u32) -> vec4f {
  let at = line * LANES + lane;
  shares[at] = x;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if lane < half { shares[at] += shares[at + half]; }
    workgroupBarrier();
  }
  let total = shares[line * LANES];
  workgroupBarrier();
  return total;
}

fn reduce_max(x: vec4f, lane: u32, line: u32) -> vec4f {
  let at = line * LANES + lane;
  shares[at] = x;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if lane < half { shares[at] = max(shares[at], shares[at + half]); }
    workgroupBarrier();
  }
  let top = shares[line * LANES];
  workgroupBarrier();
  return top;
}

//# subgroup
// Each subgroup first, then over the results of the subgroups. The size of a subgroup and its invocations may be any. LINES is 1: the
// workgroup is one line.
enable subgroups;
var<workgroup> shares: array<vec4f, LANES>;

fn reduce_sum(x: vec4f, lane: u32, line: u32) -> vec4f {
  let part = subgroupAdd(x);
  shares[lane] = select(vec4f(), part, subgroupElect());
  workgroupBarrier();
  var total = vec4f();
  for (var i = 0u; i < LANES; i++) { total += shares[i]; }
  workgroupBarrier();
  return total;
}

fn reduce_max(x: vec4f, lane: u32, line: u32) -> vec4f {
  shares[lane] = subgroupMax(x);
  workgroupBarrier();
  var top = shares[0];
  for (var i = 1u; i < LANES; i++) { top = max(top, shares[i]); }
  workgroupBarrier();
  return top;
}
