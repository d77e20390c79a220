// combine (see binary.wgsl): what is written last stays.
// ports   Value (stored)
fn combine(a: vec4<Value>, b: vec4<Value>) -> vec4<Value> { return b; }
