// Pooling by the root of a sum of powers: none, fold4 and close4 as in pooling.wgsl.
// ports   float_of, keep_nan (functions)
// consts  POWER (lp)

//# l2
fn none() -> f32 { return 0.0; }
fn fold4(total: vec4f, x: vec4f) -> vec4f { return total + x * x; }
fn close4(total: vec4f, taken: f32) -> vec4f { return sqrt(total); }

//# lp
fn none() -> f32 { return 0.0; }
fn fold4(total: vec4f, x: vec4f) -> vec4f { return total + raised(abs(x), POWER); }
fn close4(total: vec4f, taken: f32) -> vec4f { return raised(total, 1.0 / POWER); }
// x to a power above 0, of x from 0 on. Of 0 and of infinity drivers differ.
fn raised(x: vec4f, power: f32) -> vec4f {
  let extreme = (x == vec4f()) | (x == vec4f(float_of(INFINITY)));
  return keep_nan(select(pow(x, vec4f(power)), x, extreme), x);
}
