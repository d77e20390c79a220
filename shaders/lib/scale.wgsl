// The scales of four output columns: [N], padded to a multiple of 4. `column` counts OUT_UNIT elements.

//# none
fn scale_of(column: u32) -> vec4f { return vec4f(1.0); }

//# vec4
@group(0) @binding(4) var<storage, read> scales: array<vec4f>;
fn scale_of(column: u32) -> vec4f { return B_SCALE * scales[column]; }

//# ragged
@group(0) @binding(4) var<storage, read> scales: array<f32>;
fn scale_of(column: u32) -> vec4f {
  return B_SCALE * vec4f(scales[column], scales[column + 1u], scales[column + 2u], scales[column + 3u]);
}
