// The learned scale of a normalisation without bias (as affine.wgsl). `column` counts A_UNIT elements.

//# none
fn scale_and_shift(x: vec4f, column: u32) -> vec4f { return x; }

//# vec4
@group(0) @binding(2) var<storage, read> scale: array<Elem4>;
fn scale_and_shift(x: vec4f, column: u32) -> vec4f { return x * vec4f(scale[column]); }

//# ragged
@group(0) @binding(2) var<storage, read> scale: array<Elem>;
fn scale_and_shift(x: vec4f, column: u32) -> vec4f {
  return x * vec4f(f32(scale[column]), f32(scale[column + 1u]), f32(scale[column + 2u]), f32(scale[column + 3u]));
}
