// One function of two arguments a part.
// ports   larger, smaller (functions)   Value (stored)

//# add
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return a + b; }

//# sub
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return a - b; }

//# mul
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return a * b; }

//# div
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return a / b; }

//# max
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return larger(a, b); }

//# min
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return smaller(a, b); }
