// Functions of one argument as a truth or as bits (see functions.wgsl), of the group `logic`.
// ports   is_nan (functions)   Value (stored)

//# logicalNot
fn apply(x: vec4<Value>) -> vec4<Value> { return vec4<Value>(x == vec4<Value>()); }

//# isNaN
fn apply(x: vec4f) -> vec4f { return vec4f(is_nan(x)); }

//# isInfinite
fn apply(x: vec4f) -> vec4f { return vec4f((bitcast<vec4u>(x) & vec4u(0x7fffffffu)) == vec4u(0x7f800000u)); }

//# bitwiseNot
fn apply(x: vec4<Value>) -> vec4<Value> { return ~x; }
