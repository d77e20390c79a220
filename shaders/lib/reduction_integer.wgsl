// A reduction of integers, four lines at a time: see reduction.wgsl. Sums and products wrap around at 32 bits.
// ports   Value (stored)   reduce_sum, reduce_max, settle (reducer_integer)   Params (reduce)
// consts  NOTHING (the value of no elements)
//         FLIP (the highest bit of unsigned numbers: without it they are in the order of int32)

fn sum_of(total: vec4<Value>, lane: u32, line: u32) -> vec4<Value> {
  return vec4<Value>(reduce_sum(vec4i(total), lane, line));
}
fn highest_of(total: vec4<Value>, lane: u32, line: u32) -> vec4<Value> {
  return vec4<Value>(reduce_max(vec4i(total) ^ vec4i(FLIP), lane, line) ^ vec4i(FLIP));
}

//# sum
fn none() -> vec4<Value> { return vec4<Value>(); }
fn fold(total: vec4<Value>, x: vec4<Value>) -> vec4<Value> { return total + x; }
fn join(total: vec4<Value>, lane: u32, line: u32) -> vec4<Value> { return sum_of(total, lane, line); }
fn close(total: vec4<Value>) -> vec4<Value> { return total; }

//# mean
// [sum of quotients, sum of rests] of x by the size, where the second is kept below the size: the sum would overflow. The
// fraction of the mean is dropped.
fn none() -> array<vec4<Value>, 2> { return array<vec4<Value>, 2>(); }
fn settled(quotient: vec4<Value>, rest: vec4<Value>) -> array<vec4<Value>, 2> {
  let size = vec4<Value>(Value(params.size));
  let whole = rest / size;
  return array(quotient + whole, rest - whole * size);
}
fn fold(total: array<vec4<Value>, 2>, x: vec4<Value>) -> array<vec4<Value>, 2> {
  let own = settled(vec4<Value>(), x);
  return settled(total[0] + own[0], total[1] + own[1]);
}
fn join(total: array<vec4<Value>, 2>, lane: u32, line: u32) -> array<vec4<Value>, 2> {
  let quotient = sum_of(total[0], lane, line);
  settle();
  return settled(quotient, sum_of(total[1], lane, line));
}
fn close(total: array<vec4<Value>, 2>) -> vec4<Value> {
  let zero = vec4<Value>();
  let one = vec4<Value>(1);
  let below = select(total[0], total[0] - one, (total[0] > zero) & (total[1] < zero));
  return select(below, total[0] + one, (total[0] < zero) & (total[1] > zero));
}

//# l1
fn none() -> vec4<Value> { return vec4<Value>(); }
fn fold(total: vec4<Value>, x: vec4<Value>) -> vec4<Value> { return total + abs(x); }
fn join(total: vec4<Value>, lane: u32, line: u32) -> vec4<Value> { return sum_of(total, lane, line); }
fn close(total: vec4<Value>) -> vec4<Value> { return total; }

//# sum_square
fn none() -> vec4<Value> { return vec4<Value>(); }
fn fold(total: vec4<Value>, x: vec4<Value>) -> vec4<Value> { return total + x * x; }
fn join(total: vec4<Value>, lane: u32, line: u32) -> vec4<Value> { return sum_of(total, lane, line); }
fn close(total: vec4<Value>) -> vec4<Value> { return total; }

//# max
fn none() -> vec4<Value> { return vec4<Value>(NOTHING); }
fn fold(total: vec4<Value>, x: vec4<Value>) -> vec4<Value> { return max(total, x); }
fn join(total: vec4<Value>, lane: u32, line: u32) -> vec4<Value> { return highest_of(total, lane, line); }
fn close(total: vec4<Value>) -> vec4<Value> { return total; }

//# min
fn none() -> vec4<Value> { return vec4<Value>(NOTHING); }
fn fold(total: vec4<Value>, x: vec4<Value>) -> vec4<Value> { return min(total, x); }
fn join(total: vec4<Value>, lane: u32, line: u32) -> vec4<Value> { return ~highest_of(~total, lane, line); }
fn close(total: vec4<Value>) -> vec4<Value> { return total; }

//# product
// There is no product over lanes: one lane takes the whole line.
fn none() -> vec4<Value> { return vec4<Value>(1); }
fn fold(total: vec4<Value>, x: vec4<Value>) -> vec4<Value> { return total * x; }
fn join(total: vec4<Value>, lane: u32, line: u32) -> vec4<Value> { return total; }
fn close(total: vec4<Value>) -> vec4<Value> { return total; }
