// The bias of four output columns. `column` counts OUT_UNIT elements from its start.

//# none
fn add_bias(v: vec4f, column: u32) -> vec4f { return v; }

//# vec4
@group(0) @binding(5) var<storage, read> bias: array<Elem4>;
fn add_bias(v: vec4f, column: u32) -> vec4f { return v + vec4f(bias[column]); }

//# ragged
@group(0) @binding(5) var<storage, read> bias: array<Elem>;
fn add_bias(v: vec4f, column: u32) -> vec4f {
  return v + vec4f(f32(bias[column]), f32(bias[column + 1u]), f32(bias[column + 2u]), f32(bias[column + 3u]));
}
