// What a pooling window does with its elements; `taken` of them lay inside the image.

//# max
const START4 = vec4f(-3.4028234663852886e38);
fn fold4(total: vec4f, x: vec4f) -> vec4f { return max(total, x); }
fn close4(total: vec4f, taken: f32) -> vec4f { return total; }

//# average
const START4 = vec4f();
fn fold4(total: vec4f, x: vec4f) -> vec4f { return total + x; }
fn close4(total: vec4f, taken: f32) -> vec4f { return total / max(taken, 1.0); }
