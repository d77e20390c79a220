// Functions of elements: NaN and infinity, and y = apply(x), one a part, which the elementwise kernel links, and every epilogue as its
// activation. NaN gives NaN.
// WGSL lets a compiler assume that there is neither NaN nor infinity, so NaN is recognised by its bits, and infinity is made from bits at run
// time. max, min, clamp and sign lose NaN. So do comparisons that a compiler turns into max (Mesa), and approximations of exp and log
// (SwiftShader). Integers have functions of the same names.
// ports   Value (epilogue, stored)
// consts  ALPHA BETA (the op's options, where it has some)

// error_function: Abramowitz & Stegun 7.1.26 (absolute error 1.5e-7); near zero its Taylor series, which keeps the relative error.
fn error_function(x: vec4f) -> vec4f {
  let a = abs(x);
  let t = 1.0 / (1.0 + 0.3275911 * a);
  let tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  let far = sign(x) * (1.0 - tail * exp(-a * a));
  let square = x * x;
  let near = x * (1.1283791671 + square * (-0.3761263890 + square * (0.1128379167 + square * (-0.0268661706 + square * 0.0052239776))));
  return select(far, near, a < vec4f(0.4));
}

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

//# identity
fn apply(x: vec4<Value>) -> vec4<Value> { return x; }

//# neg
fn apply(x: vec4<Value>) -> vec4<Value> { return -x; }

//# reciprocal
fn apply(x: vec4f) -> vec4f { return 1.0 / x; }

//# sqrt
fn apply(x: vec4f) -> vec4f { return sqrt(x); }

//# exp
fn apply(x: vec4f) -> vec4f { return keep_nan(exp(x), x); }

//# tanh
// tanh overflows on some drivers; it is 1 in float32 beyond 10.
fn apply(x: vec4f) -> vec4f { return keep_nan(tanh(clamp(x, vec4f(-10.0), vec4f(10.0))), x); }

//# sigmoid
fn apply(x: vec4f) -> vec4f { return keep_nan(1.0 / (1.0 + exp(-x)), x); }

//# swish
fn apply(x: vec4f) -> vec4f { return keep_nan(x / (1.0 + exp(-ALPHA * x)), x); }

//# relu
fn apply(x: vec4<Value>) -> vec4<Value> { return rectified(x); }

//# clamp
fn apply(x: vec4<Value>) -> vec4<Value> {
  return keep_nan(min(max(x, vec4<Value>(bound(ALPHA))), vec4<Value>(bound(BETA))), x);
}

//# linear
fn apply(x: vec4f) -> vec4f { return ALPHA * x + BETA; }

//# gelu
fn apply(x: vec4f) -> vec4f { return 0.5 * x * (1.0 + error_function(x * 0.70710678)); }

//# gelu_tanh
// The tanh form (Hendrycks & Gimpel 2016), as GPT-2 uses it.
fn apply(x: vec4f) -> vec4f {
  let inner = 0.7978845608 * (x + 0.044715 * x * x * x);
  return 0.5 * x * (1.0 + tanh(clamp(inner, vec4f(-10.0), vec4f(10.0))));
}
