// A reduction of floats, four lines at a time; of integers: reduction_integer.wgsl. none(): the totals of no elements. fold(total, x): adds
// elements. join(total, lane, line): the totals of all lanes that share a line. close(total): the output.
// ports   reduce_sum, reduce_max (reducer)   Params (reduce)   float_of, larger, is_nan, smaller, logarithm (functions)

//# sum
fn none() -> vec4f { return vec4f(); }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x; }
fn join(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return total; }

//# mean
fn none() -> vec4f { return vec4f(); }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x; }
fn join(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return total / f32(params.size); }

//# l1
fn none() -> vec4f { return vec4f(); }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + abs(x); }
fn join(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return total; }

//# sum_square
fn none() -> vec4f { return vec4f(); }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x * x; }
fn join(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return total; }

//# l2
fn none() -> vec4f { return vec4f(); }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x * x; }
fn join(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return sqrt(total); }

//# log_sum
fn none() -> vec4f { return vec4f(); }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x; }
fn join(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return logarithm(total); }

//# max
fn none() -> vec4f { return vec4f(-float_of(INFINITY)); }
fn fold(total: vec4f, x: vec4f) -> vec4f { return larger(total, x); }
fn join(total: vec4f, lane: u32, line: u32) -> vec4f {
  let spoilt = reduce_max(vec4f(is_nan(total)), lane, line) > vec4f();
  return select(reduce_max(total, lane, line), vec4f(float_of(NAN)), spoilt);
}
fn close(total: vec4f) -> vec4f { return total; }

//# min
fn none() -> vec4f { return vec4f(float_of(INFINITY)); }
fn fold(total: vec4f, x: vec4f) -> vec4f { return smaller(total, x); }
fn join(total: vec4f, lane: u32, line: u32) -> vec4f {
  let spoilt = reduce_max(vec4f(is_nan(total)), lane, line) > vec4f();
  return select(-reduce_max(-total, lane, line), vec4f(float_of(NAN)), spoilt);
}
fn close(total: vec4f) -> vec4f { return total; }

//# product
// There is no product over lanes: one lane takes the whole line.
fn none() -> vec4f { return vec4f(1.0); }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total * x; }
fn join(total: vec4f, lane: u32, line: u32) -> vec4f { return total; }
fn close(total: vec4f) -> vec4f { return total; }
