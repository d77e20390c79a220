// One function of two arguments a part. Comparisons give 1 and 0.

//# add
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return a + b; }

//# sub
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return a - b; }

//# mul
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return a * b; }

//# div
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return a / b; }

//# max
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return max(a, b); }

//# min
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return min(a, b); }

//# pow
// WGSL's pow is undefined for a negative base; a whole exponent has an answer all the same.
fn combine(a: vec4f, b: vec4f) -> vec4f {
  let size = pow(abs(a), b);
  let odd = abs(b - 2.0 * floor(b * 0.5)) == vec4f(1.0);
  return select(size, -size, (a < vec4f()) & odd);
}

//# prelu
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return select(a * b, a, a >= vec4<Value>()); }

//# equal
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return vec4<Value>(a == b); }

//# notEqual
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return vec4<Value>(a != b); }

//# greater
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return vec4<Value>(a > b); }

//# greaterOrEqual
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return vec4<Value>(a >= b); }

//# lesser
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return vec4<Value>(a < b); }

//# lesserOrEqual
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return vec4<Value>(a <= b); }

//# logicalAnd
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return vec4<Value>((a != vec4<Value>()) & (b != vec4<Value>())); }

//# logicalOr
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return vec4<Value>((a != vec4<Value>()) | (b != vec4<Value>())); }

//# logicalXor
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return vec4<Value>((a != vec4<Value>()) != (b != vec4<Value>())); }
