// Comparisons, and functions of two arguments as truths or as bits (see binary.wgsl), of the group `logic`. Comparisons give 1
// and 0; with NaN notEqual gives 1, all others 0.
// ports   Value (stored)

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

//# bitwiseAnd
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return a & b; }

//# bitwiseOr
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return a | b; }

//# bitwiseXor
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return a ^ b; }

//# shiftLeft
// WGSL shifts by the lowest five bits. What leaves eight bits is not stored.
fn combine(a: vec4u, b: vec4u) -> vec4u { return select(a << (b & vec4u(31u)), vec4u(), b > vec4u(31u)); }

//# shiftRight
fn combine(a: vec4u, b: vec4u) -> vec4u { return select(a >> (b & vec4u(31u)), vec4u(), b > vec4u(31u)); }
