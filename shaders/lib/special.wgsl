// NaN and infinity. WGSL lets a compiler assume that there are none, so NaN is recognised by its bits, and infinity is made from bits at run
// time. max, min, clamp and sign lose NaN. So do comparisons that a compiler turns into max (Mesa), and approximations
// of exp and log (SwiftShader). Integers have functions of the same names.

//# float
fn is_nan(x: vec4f) -> vec4<bool> { return (bitcast<vec4u>(x) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u); }
fn keep_nan(y: vec4f, x: vec4f) -> vec4f { return select(y, x, is_nan(x)); }
fn larger(a: vec4f, b: vec4f) -> vec4f { return select(max(a, b), a + b, is_nan(a) | is_nan(b)); }
fn smaller(a: vec4f, b: vec4f) -> vec4f { return select(min(a, b), a + b, is_nan(a) | is_nan(b)); }
// relu. As integers the bits of -0 to -Infinity are at most -0x00800000; those of NaN of either sign are above.
fn rectified(x: vec4f) -> vec4f { return select(x, vec4f(), bitcast<vec4i>(x) <= vec4i(-0x00800000)); }
fn logarithm(x: vec4f) -> vec4f {
  return select(select(log(x), vec4f(-float_of(INFINITY)), x == vec4f()), sqrt(x), (x < vec4f()) | is_nan(x));
}
const INFINITY = 0x7f800000u;
const NAN = 0x7fc00000u;
fn float_of(bits: u32) -> f32 { return bitcast<f32>(bits); }
// A bound of clamp: the largest float32 stands for infinity there, which WGSL has no literal for.
fn bound(x: f32) -> f32 { return select(x, sign(x) * float_of(INFINITY), abs(x) >= 3.4028234663852886e38); }

//# integer
fn keep_nan(y: vec4<Value>, x: vec4<Value>) -> vec4<Value> { return y; }
fn larger(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return max(a, b); }
fn smaller(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return min(a, b); }
fn rectified(x: vec4<Value>) -> vec4<Value> { return max(x, vec4<Value>()); }
fn bound(x: Value) -> Value { return x; }
