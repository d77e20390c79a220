// More functions of two arguments (see binary.wgsl), of the group `math`. Comparisons give 1 and 0; with NaN notEqual gives 1, all others 0.
// ports   float_of, is_nan (functions)   Value (stored)

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

//# equal
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return vec4<Value>(a == b); }

//# notEqual
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return vec4<Value>(!(a == b)); } // != may be false of NaN

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
