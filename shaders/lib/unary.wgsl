// A function y = apply(x) a part. The elementwise kernel links one, and so does every epilogue, as its activation. NaN gives NaN.
// ports   keep_nan, rectified, bound (special)   error_function (erf)
// consts  ALPHA BETA (the op's options, where it has some)

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
