// The learned scale and bias of a normalisation, four columns at a time. `column` counts A_UNIT elements.

//# none
fn scale_and_shift(x: vec4f, column: u32) -> vec4f { return x; }

//# vec4
@group(0) @binding(2) var<storage, read> scale: array<Elem4>;
@group(0) @binding(4) var<storage, read> bias: array<Elem4>;
fn scale_and_shift(x: vec4f, column: u32) -> vec4f { return x * vec4f(scale[column]) + vec4f(bias[column]); }

//# ragged
@group(0) @binding(2) var<storage, read> scale: array<Elem>;
@group(0) @binding(4) var<storage, read> bias: array<Elem>;
fn scale_and_shift(x: vec4f, column: u32) -> vec4f {
  let s = vec4f(f32(scale[column]), f32(scale[column + 1u]), f32(scale[column + 2u]), f32(scale[column + 3u]));
  return x * s + vec4f(f32(bias[column]), f32(bias[column + 1u]), f32(bias[column + 2u]), f32(bias[column + 3u]));
}
