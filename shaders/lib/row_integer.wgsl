// of_row: a sum of int8 products times the scale of its row of A, or of the tensor A; int32: the sum itself.

//# row
@group(0) @binding(8) var<storage, read> aScale: array<f32>;
fn of_row(v: vec4i, row: u32) -> vec4f { return vec4f(v) * aScale[row]; }

//# tensor
@group(0) @binding(8) var<storage, read> aScale: array<f32>;
fn of_row(v: vec4i, row: u32) -> vec4f { return vec4f(v) * aScale[0]; }

//# int32
fn of_row(v: vec4i, row: u32) -> vec4i { return v; }
