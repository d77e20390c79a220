// What a reduction does: what it makes of no elements (none), how an element enters (fold), how the lanes that share a line become one
// (meet), what the end makes of it (close). Four lines at a time.
// ports   reduce_sum, reduce_max (reducer)   is_nan, larger, smaller, logarithm, float_of (special)

//# sum
fn none() -> f32 { return 0.0; }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x; }
fn meet(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return total; }

//# mean
fn none() -> f32 { return 0.0; }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x; }
fn meet(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return total / f32(params.size); }

//# l1
fn none() -> f32 { return 0.0; }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + abs(x); }
fn meet(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return total; }

//# sum_square
fn none() -> f32 { return 0.0; }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x * x; }
fn meet(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return total; }

//# l2
fn none() -> f32 { return 0.0; }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x * x; }
fn meet(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return sqrt(total); }

//# log_sum
fn none() -> f32 { return 0.0; }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x; }
fn meet(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return logarithm(total); }

//# max
fn none() -> f32 { return -float_of(INFINITY); }
fn fold(total: vec4f, x: vec4f) -> vec4f { return larger(total, x); }
fn meet(total: vec4f, lane: u32, line: u32) -> vec4f {
  let spoilt = reduce_max(vec4f(is_nan(total)), lane, line) > vec4f();
  return select(reduce_max(total, lane, line), vec4f(float_of(NAN)), spoilt);
}
fn close(total: vec4f) -> vec4f { return total; }

//# min
fn none() -> f32 { return float_of(INFINITY); }
fn fold(total: vec4f, x: vec4f) -> vec4f { return smaller(total, x); }
fn meet(total: vec4f, lane: u32, line: u32) -> vec4f {
  let spoilt = reduce_max(vec4f(is_nan(total)), lane, line) > vec4f();
  return select(-reduce_max(-total, lane, line), vec4f(float_of(NAN)), spoilt);
}
fn close(total: vec4f) -> vec4f { return total; }

//# product
// Lanes that share a line cannot multiply what they have: one takes it all.
fn none() -> f32 { return 1.0; }
fn fold(total: vec4f, x: vec4f) -> vec4f { return total * x; }
fn meet(total: vec4f, lane: u32, line: u32) -> vec4f { return total; }
fn close(total: vec4f) -> vec4f { return total; }
