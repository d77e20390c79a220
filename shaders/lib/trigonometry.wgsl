// Trigonometric and hyperbolic functions and their inverses (see functions.wgsl), of the group `trigonometry`. All but sin and
// cos are those of Cephes (Moshier 1989): WGSL promises 6e-5 of its own, or less.
// ports   keep_nan, logarithm, float_of (functions)

// asin of 0 to 1; NaN beyond. Above 1/2 by asin(a) = pi/2 - 2 asin(sqrt((1 - a)/2)).
fn arc_sine(a: vec4f) -> vec4f {
  let far = a > vec4f(0.5);
  let s = select(a, sqrt(max(0.5 * (1.0 - a), vec4f())), far);
  let z = s * s;
  let p = fma(z, fma(z, fma(z, fma(z, vec4f(4.2163199048e-2), vec4f(2.4181311049e-2)), vec4f(4.5470025998e-2)),
    vec4f(7.4953002686e-2)), vec4f(1.6666752422e-1));
  let y = fma(p * z, s, s);
  return select(select(y, 1.57079633 - 2.0 * y, far), vec4f(float_of(NAN)), !(a <= vec4f(1.0)));
}

// exp(|x|)/2, which overflows where sinh and cosh do.
fn half_power(x: vec4f) -> vec4f {
  let root = exp(0.5 * abs(x));
  return 0.5 * root * root;
}

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

//# asin
fn apply(x: vec4f) -> vec4f { return keep_nan(sign(x) * arc_sine(abs(x)), x); }

//# acos
// Beyond 1/2 from the angle of the half, which keeps the relative error near 1.
fn apply(x: vec4f) -> vec4f {
  let a = abs(x);
  let near = 2.0 * arc_sine(sqrt(max(0.5 * (1.0 - a), vec4f())));
  let y = select(1.57079633 - sign(x) * arc_sine(a), select(near, 3.14159265 - near, x < vec4f()), a > vec4f(0.5));
  return select(keep_nan(y, x), vec4f(float_of(NAN)), a > vec4f(1.0));
}

//# atan
// Reduced to tan(pi/8) and less by atan(a) = pi/4 + atan((a - 1)/(a + 1)) and atan(a) = pi/2 - atan(1/a).
fn apply(x: vec4f) -> vec4f {
  let a = abs(x);
  let far = a > vec4f(2.41421356);
  let middle = a > vec4f(0.41421356);
  let t = select(select(a, (a - 1.0) / (a + 1.0), middle), -1.0 / a, far);
  let z = t * t;
  let p = fma(z, fma(z, fma(z, vec4f(8.05374449538e-2), vec4f(-1.38776856032e-1)), vec4f(1.99777106478e-1)),
    vec4f(-3.33329491539e-1));
  let base = select(select(vec4f(), vec4f(0.785398163), middle), vec4f(1.57079633), far);
  return keep_nan(sign(x) * (base + fma(p * z, t, t)), x);
}

//# sinh
fn apply(x: vec4f) -> vec4f {
  let z = x * x;
  let p = fma(z, fma(z, vec4f(2.03721912945e-4), vec4f(8.33028376239e-3)), vec4f(1.66667160211e-1));
  let e = half_power(x);
  return keep_nan(select(fma(p * z, x, x), sign(x) * (e - 0.25 / e), abs(x) > vec4f(1.0)), x);
}

//# cosh
fn apply(x: vec4f) -> vec4f {
  let e = half_power(x);
  return keep_nan(e + 0.25 / e, x);
}

//# asinh
// From 1500 on log(2a): a * a would overflow.
fn apply(x: vec4f) -> vec4f {
  let a = abs(x);
  let z = a * a;
  let p = fma(z, fma(z, fma(z, vec4f(2.0122003309e-2), vec4f(-4.2699340972e-2)), vec4f(7.4847586088e-2)),
    vec4f(-1.6666288134e-1));
  let far = select(logarithm(a + sqrt(z + 1.0)), logarithm(a) + 0.693147181, a > vec4f(1500.0));
  return keep_nan(sign(x) * select(fma(p * z, a, a), far, a > vec4f(0.5)), x);
}

//# acosh
fn apply(x: vec4f) -> vec4f {
  let z = x - 1.0;
  let p = fma(z, fma(z, fma(z, fma(z, vec4f(1.7596881071e-3), vec4f(-7.5272886713e-3)), vec4f(2.6454905019e-2)),
    vec4f(-1.1784741703e-1)), vec4f(1.4142135263));
  let near = sqrt(max(z, vec4f())) * p;
  let far = select(logarithm(x + sqrt(max(z * (x + 1.0), vec4f()))), logarithm(x) + 0.693147181, x > vec4f(1500.0));
  return keep_nan(select(select(far, near, z < vec4f(0.5)), vec4f(float_of(NAN)), x < vec4f(1.0)), x);
}

//# atanh
fn apply(x: vec4f) -> vec4f {
  let a = abs(x);
  let z = a * a;
  let p = fma(z, fma(z, fma(z, fma(z, vec4f(1.81740078349e-1), vec4f(8.24370301058e-2)), vec4f(1.46691431730e-1)),
    vec4f(1.99782164500e-1)), vec4f(3.33337300303e-1));
  let far = select(0.5 * logarithm((1.0 + a) / (1.0 - a)), vec4f(float_of(INFINITY)), a == vec4f(1.0));
  let y = sign(x) * select(fma(p * z, a, a), far, a > vec4f(0.5));
  return keep_nan(select(y, vec4f(float_of(NAN)), a > vec4f(1.0)), x);
}
