// A pooling window, four channels. none(): no elements. fold4 adds one. close4: the output; `taken` elements were inside the image.
// ports   float_of, larger (functions)

//# max
fn none() -> f32 { return -float_of(INFINITY); }
fn fold4(total: vec4f, x: vec4f) -> vec4f { return larger(total, x); }
fn close4(total: vec4f, taken: f32) -> vec4f { return total; }

//# average
fn none() -> f32 { return 0.0; }
fn fold4(total: vec4f, x: vec4f) -> vec4f { return total + x; }
fn close4(total: vec4f, taken: f32) -> vec4f { return total / max(taken, 1.0); }
