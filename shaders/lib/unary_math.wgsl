// More functions of one argument (see functions.wgsl), of the group `math`.
// ports   keep_nan, logarithm, error_function (functions)   Value (stored)
// consts  ALPHA BETA (the op's options, where it has some)

//# abs
fn apply(x: vec4<Value>) -> vec4<Value> { return abs(x); }

//# sign
fn apply(x: vec4<Value>) -> vec4<Value> { return keep_nan(sign(x), x); }

//# ceil
fn apply(x: vec4f) -> vec4f { return ceil(x); }

//# floor
fn apply(x: vec4f) -> vec4f { return floor(x); }

//# log
fn apply(x: vec4f) -> vec4f { return logarithm(x); }

//# softsign
fn apply(x: vec4f) -> vec4f { return x / (1.0 + abs(x)); }

//# erf
fn apply(x: vec4f) -> vec4f { return error_function(x); }

//# elu
fn apply(x: vec4f) -> vec4f { return select(x, ALPHA * (exp(x) - 1.0), x < vec4f()); }

//# hardSigmoid
fn apply(x: vec4f) -> vec4f { return keep_nan(clamp(ALPHA * x + BETA, vec4f(), vec4f(1.0)), x); }

//# hardSwish
fn apply(x: vec4f) -> vec4f { return x * clamp(x + 3.0, vec4f(), vec4f(6.0)) / 6.0; }

//# leakyRelu
fn apply(x: vec4f) -> vec4f { return select(ALPHA * x, x, x >= vec4f()); }

//# softplus
fn apply(x: vec4f) -> vec4f { return keep_nan(max(x, vec4f()) + log(1.0 + exp(-abs(x))), x); }

//# roundEven
fn apply(x: vec4f) -> vec4f { return round(x); }
