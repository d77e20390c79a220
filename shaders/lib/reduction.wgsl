// What a reduction does: where it starts, how an element enters (fold), how the lanes that share a line become one (meet), what
// the end makes of it (close). Four lines at a time.

//# sum
const START = 0.0;
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x; }
fn meet(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return total; }

//# mean
const START = 0.0;
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x; }
fn meet(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return total / f32(params.size); }

//# l1
const START = 0.0;
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + abs(x); }
fn meet(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return total; }

//# sum_square
const START = 0.0;
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x * x; }
fn meet(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return total; }

//# l2
const START = 0.0;
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x * x; }
fn meet(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return sqrt(total); }

//# log_sum
const START = 0.0;
fn fold(total: vec4f, x: vec4f) -> vec4f { return total + x; }
fn meet(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_sum(total, lane, line); }
fn close(total: vec4f) -> vec4f { return log(total); }

//# max
const START = -3.4028234663852886e38;
fn fold(total: vec4f, x: vec4f) -> vec4f { return max(total, x); }
fn meet(total: vec4f, lane: u32, line: u32) -> vec4f { return reduce_max(total, lane, line); }
fn close(total: vec4f) -> vec4f { return total; }

//# min
const START = 3.4028234663852886e38;
fn fold(total: vec4f, x: vec4f) -> vec4f { return min(total, x); }
fn meet(total: vec4f, lane: u32, line: u32) -> vec4f { return -reduce_max(-total, lane, line); }
fn close(total: vec4f) -> vec4f { return total; }

//# product
// Lanes that share a line cannot multiply what they have: one takes it all.
const START = 1.0;
fn fold(total: vec4f, x: vec4f) -> vec4f { return total * x; }
fn meet(total: vec4f, lane: u32, line: u32) -> vec4f { return total; }
fn close(total: vec4f) -> vec4f { return total; }
