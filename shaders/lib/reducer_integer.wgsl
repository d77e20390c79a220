// reduce_sum of reducer.wgsl, for int32.
// consts  LANES LINES

//# serial
fn reduce_sum(x: vec4i, lane: u32, line: u32) -> vec4i { return x; }

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
