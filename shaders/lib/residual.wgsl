// A tensor of the output's shape that is added before the activation. `i` counts OUT_UNIT elements.

//# none
fn add_residual(v: vec4f, i: u32) -> vec4f { return v; }

//# vec4
@group(0) @binding(6) var<storage, read> residual: array<Elem4>;
fn add_residual(v: vec4f, i: u32) -> vec4f { return v + vec4f(residual[i]); }

//# ragged
@group(0) @binding(6) var<storage, read> residual: array<Elem>;
fn add_residual(v: vec4f, i: u32) -> vec4f {
  return v + vec4f(f32(residual[i]), f32(residual[i + 1u]), f32(residual[i + 2u]), f32(residual[i + 3u]));
}
