// scale_at: the scale of an element of a quantised table: [rows], or one for each GROUP elements of a row.

//# none
fn scale_at(row: u32, column: u32) -> f32 { return 1.0; }

//# row
@group(0) @binding(4) var<storage, read> scales: array<f32>;
fn scale_at(row: u32, column: u32) -> f32 { return B_SCALE * scales[row]; }

//# group
@group(0) @binding(4) var<storage, read> scales: array<f32>;
fn scale_at(row: u32, column: u32) -> f32 { return B_SCALE * scales[(row * params.width + column) / GROUP]; }
