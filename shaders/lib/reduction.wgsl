// A reduction, four lines at a time. none(): the value of no elements. fold(total, x): adds an element. join(total, lane, line): the total of
// all lanes that share a line. close(total): the output.
// ports   reduce_sum, reduce_max (reducer)   Params (reduce)   float_of, larger, is_nan, smaller, logarithm (functions)

//# sum
fn none() -> f32 { return 0.0; }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x; }
fn join(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return total; }

//# mean
fn none() -> f32 { return 0.0; }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x; }
fn join(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return total / f32(params.size); }

//# l1
fn none() -> f32 { return 0.0; }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + abs(x); }
fn join(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return total; }

//# sum_square
fn none() -> f32 { return 0.0; }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x * x; }
fn join(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return total; }

//# l2
fn none() -> f32 { return 0.0; }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x * x; }
fn join(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return sqrt(total); }

//# log_sum
fn none() -> f32 { return 0.0; }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x; }
fn join(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return logarithm(total); }

//# max
fn none() -> f32 { return -float_of(INFINITY); }
fn fold(total: vec4f, x: vec4f) -> vec4f { return larger(total, x); }
fn join(total: vec4f, lane: u32, line: u32) -> vec4f {
  let spoilt = reduce_max(vec4f(is_nan(total)), lane, line) > vec4f();
  return select(reduce_max(total, lane, line), vec4f(float_of(NAN)), spoilt);
}
fn close(total: vec4f) -> vec4f { return total; }

//# min
fn none() -> f32 { return float_of(INFINITY); }
fn fold(total: vec4f, x: vec4f) -> vec4f { return smaller(total, x); }
fn join(total: vec4f, lane: u32, line: u32) -> vec4f {
  let spoilt = reduce_max(vec4f(is_nan(total)), lane, line) > vec4f();
  return select(-reduce_max(-total, lane, line), vec4f(float_of(NAN)), spoilt);
}
fn close(total: vec4f) -> vec4f { return total; }

//# product
// There is no product over lanes: one lane takes the whole line.
fn none() -> f32 { return 1.0; }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total * x; }
fn join(total: vec4f, lane: u32, line: u32) -> vec4f { return total; }
fn close(total: vec4f) -> vec4f { return total; }
