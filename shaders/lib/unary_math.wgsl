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

//# sin
fn apply(x: vec4f) -> vec4f { return sin(x); }

//# cos
fn apply(x: vec4f) -> vec4f { return cos(x); }

//# tan
// Drivers' tan is off by 1e-4 near its poles. Here x is reduced by multiples of pi/2 in two parts (Cody & Waite 1980), and the
// rest, at most pi/4, goes through the polynomial of Cephes' tanf (Moshier 1989); in every second octant it is -1/tan.
fn apply(x: vec4f) -> vec4f {
  let quarter = round(x * 0.63661977);
  let y = fma(quarter, vec4f(-4.8382679e-4), fma(quarter, vec4f(-1.5703125), x));
  let z = y * y;
  let p = fma(z, fma(z, fma(z, fma(z, fma(z, vec4f(9.38540185543e-3), vec4f(3.11992232697e-3)), vec4f(2.44301354525e-2)),
    vec4f(5.34112807005e-2)), vec4f(1.33387994085e-1)), vec4f(3.33331568548e-1));
  let t = fma(y * z, p, y);
  return select(t, -1.0 / t, (vec4i(quarter) & vec4i(1)) != vec4i());
}

//# softsign
fn apply(x: vec4f) -> vec4f { return x / (1.0 + abs(x)); }

//# erf
fn apply(x: vec4f) -> vec4f { return error_function(x); }

//# logicalNot
fn apply(x: vec4<Value>) -> vec4<Value> { return vec4<Value>(x == vec4<Value>()); }

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
