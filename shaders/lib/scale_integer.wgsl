// The scales of four output columns of an integer product. `column` counts OUT_UNIT elements.

//# vec4
@group(0) @binding(4) var<storage, read> scales: array<vec4f>;
fn scale_of(column: u32) -> vec4f { return scales[column]; }

//# ragged
@group(0) @binding(4) var<storage, read> scales: array<f32>;
fn scale_of(column: u32) -> vec4f { return vec4f(scales[column], scales[column + 1u], scales[column + 2u], scales[column + 3u]); }
