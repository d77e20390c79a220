// What a reduction does: where it starts, how an element enters (fold), what the end makes of it (close).

//# sum
const START = 0.0;
fn fold(total: f32, x: f32) -> f32 { return total + x; }
fn close(total: f32) -> f32 { return total; }

//# mean
const START = 0.0;
fn fold(total: f32, x: f32) -> f32 { return total + x; }
fn close(total: f32) -> f32 { return total / f32(params.size); }

//# l1
const START = 0.0;
fn fold(total: f32, x: f32) -> f32 { return total + abs(x); }
fn close(total: f32) -> f32 { return total; }

//# sum_square
const START = 0.0;
fn fold(total: f32, x: f32) -> f32 { return total + x * x; }
fn close(total: f32) -> f32 { return total; }

//# l2
const START = 0.0;
fn fold(total: f32, x: f32) -> f32 { return total + x * x; }
fn close(total: f32) -> f32 { return sqrt(total); }

//# log_sum
const START = 0.0;
fn fold(total: f32, x: f32) -> f32 { return total + x; }
fn close(total: f32) -> f32 { return log(total); }

//# max
const START = -3.4028234663852886e38;
fn fold(total: f32, x: f32) -> f32 { return max(total, x); }
fn close(total: f32) -> f32 { return total; }

//# min
const START = 3.4028234663852886e38;
fn fold(total: f32, x: f32) -> f32 { return min(total, x); }
fn close(total: f32) -> f32 { return total; }

//# product
const START = 1.0;
fn fold(total: f32, x: f32) -> f32 { return total * x; }
fn close(total: f32) -> f32 { return total; }
