// lanes_before: totals of x over the LANES invocations of a line, in order: [of those before this one, of all].
// ports   Total (elem)   none, both (accumulation)
// consts  LANES LINES

//# serial
fn lanes_before(x: Total, lane: u32, line: u32) -> array<Total, 2> { return array(none(), x); }

//# workgroup
// Hillis & Steele 1986: each lane adds the total of as many lanes before it as it has already.
var<workgroup> totals: array<Total, LANES * LINES>;

fn lanes_before(x: Total, lane: u32, line: u32) -> array<Total, 2> {
  let first = line * LANES;
  var total = x;
  totals[first + lane] = total;
  workgroupBarrier();
  for (var reach = 1u; reach < LANES; reach *= 2u) {
    if lane >= reach { total = both(totals[first + lane - reach], total); }
    workgroupBarrier();
    totals[first + lane] = total;
    workgroupBarrier();
  }
  var before = none();
  if lane > 0u { before = totals[first + lane - 1u]; }
  let all = totals[first + LANES - 1u];
  workgroupBarrier();
  return array(before, all);
}
