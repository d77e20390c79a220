// reduce_sum and reduce_max of reducer.wgsl, for int32. settle() stands between reduce_sum and a reduction after it.
// consts  LANES LINES

//# serial
fn reduce_sum(x: vec4i, lane: u32, line: u32) -> vec4i { return x; }
fn reduce_max(x: vec4i, lane: u32, line: u32) -> vec4i { return x; }
fn settle() {}

//# workgroup
var<workgroup> shares: array<vec4i, LANES * LINES>;
fn reduce_sum(x: vec4i, lane: u32, line: u32) -> vec4i {
  let at = line * LANES + lane;
  shares[at] = x;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if lane < half { shares[at] += shares[at + half]; }
    workgroupBarrier();
  }
  return shares[line * LANES];
}

fn reduce_max(x: vec4i, lane: u32, line: u32) -> vec4i {
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

fn settle() { workgroupBarrier(); }

//# subgroup
enable subgroups;
var<workgroup> shares: array<vec4i, LANES>;
fn reduce_sum(x: vec4i, lane: u32, line: u32) -> vec4i {
  let part = subgroupAdd(x);
  shares[lane] = select(vec4i(), part, subgroupElect());
  workgroupBarrier();
  var total = vec4i();
  for (var i = 0u; i < LANES; i++) { total += shares[i]; }
  return total;
}

fn reduce_max(x: vec4i, lane: u32, line: u32) -> vec4i {
  shares[lane] = subgroupMax(x);
  workgroupBarrier();
  var top = shares[0];
  for (var i = 1u; i < LANES; i++) { top = max(top, shares[i]); }
  workgroupBarrier();
  return top;
}

fn settle() { workgroupBarrier(); }
