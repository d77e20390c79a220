// The scale of a row of a table: int8 has one a row.

//# none
fn row_scale(row: u32) -> f32 { return 1.0; }

//# row
@group(0) @binding(4) var<storage, read> scales: array<f32>;
fn row_scale(row: u32) -> f32 { return 127.0 * scales[row]; }
