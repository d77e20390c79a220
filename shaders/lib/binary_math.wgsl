// More functions of two arguments (see binary.wgsl), of the group `math`.
// ports   float_of, is_nan (functions)   Value (stored)

// C's fmod, exact: the remainder of mantissas as integers, the difference of the exponents eight bits at a time. WGSL's
// own, a - b * trunc(a / b), is off by the rounding of a / b times b.
fn remainder(a: f32, b: f32) -> f32 {
  let x = bitcast<u32>(a) & 0x7fffffffu;
  let y = bitcast<u32>(b) & 0x7fffffffu;
  if x >= INFINITY || y > INFINITY || y == 0u { return float_of(NAN); }
  if x < y { return a; }
  let scale = max(y >> 23u, 1u);
  let divisor = mantissa(y);
  var rest = mantissa(x) % divisor;
  for (var left = max(x >> 23u, 1u) - scale; left > 0u && rest > 0u;) {
    let step = min(left, 8u);
    rest = (rest << step) % divisor;
    left -= step;
  }
  // Bits of the float again: shifted up to 24 bits, or as far as the exponent allows.
  let up = min(countLeadingZeros(rest | 1u) - 8u, scale - 1u);
  rest <<= up;
  let exponent = select(0u, (scale - up) << 23u, rest >= 0x800000u);
  return float_of((bitcast<u32>(a) & 0x80000000u) | exponent | (rest & 0x7fffffu));
}
fn mantissa(x: u32) -> u32 { return (x & 0x7fffffu) | select(0u, 0x800000u, x >= 0x800000u); }
fn remainders(a: vec4f, b: vec4f) -> vec4f {
  return vec4f(remainder(a.x, b.x), remainder(a.y, b.y), remainder(a.z, b.z), remainder(a.w, b.w));
}

//# pow
// C's pow. WGSL's is undefined for a negative base, and drivers differ at 0, 1 and infinity.
fn combine(a: vec4f, b: vec4f) -> vec4f {
  let size = abs(a);
  let one = vec4f(1.0);
  let endless = abs(b) == vec4f(float_of(INFINITY));
  let whole = floor(b) == b;
  let odd = whole & (floor(b * 0.5) != b * 0.5);
  let extreme = endless | (size == vec4f()) | (size == vec4f(float_of(INFINITY)));
  let grows = (size > one) == (b > vec4f());
  var y = select(pow(size, b), select(vec4f(), vec4f(float_of(INFINITY)), grows), extreme);
  y = select(y, -y, (bitcast<vec4i>(a) < vec4i()) & odd);
  y = select(y, vec4f(float_of(NAN)), (a < vec4f()) & !whole & !extreme);
  y = select(y, a + b, is_nan(a) | is_nan(b));
  return select(y, one, (b == vec4f()) | (a == one) | ((size == one) & endless));
}

//# prelu
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return select(a * b, a, a >= vec4<Value>()); }

//# powInteger
// By squaring: the exponent's bits from the lowest. Below zero it is 1 / a^-b without the fraction.
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> {
  let one = vec4<Value>(1);
  let inverse = b < vec4<Value>();
  var y = one;
  var square = a;
  var left = vec4u(b);
  while any(left != vec4u()) {
    y = select(y, y * square, (left & vec4u(1u)) != vec4u());
    square *= square;
    left >>= vec4u(1u);
  }
  let unit = (a == one) | (a == ~vec4<Value>());
  return select(y, select(vec4<Value>(), y, unit), inverse);
}

//# mod
// Python's: it has the sign of b.
fn combine(a: vec4f, b: vec4f) -> vec4f {
  let rest = remainders(a, b);
  return select(rest, rest + b, (rest != vec4f()) & ((rest < vec4f()) != (b < vec4f())) & !is_nan(rest));
}

//# modInteger
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> {
  let rest = a % b;
  return select(rest, rest + b, (rest != vec4<Value>()) & ((rest < vec4<Value>()) != (b < vec4<Value>())));
}

//# fmod
// C's: it has the sign of a.
fn combine(a: vec4f, b: vec4f) -> vec4f { return remainders(a, b); }

//# fmodInteger
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return a % b; }
