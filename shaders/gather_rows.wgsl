// gather_rows: table [rows, width] and indices [count] give floats [count, width]; int8 and int4 are scaled back
//
// A table larger than a binding comes in pieces: a dispatch reads rows first..first+bound, and writes only the outputs whose
// row is among these.
// ports   b_at (operand_b)   scale_at (row_scale)   store (store)   place_of (place)   flat_index (grid)
// consts  WG

struct Params { count: u32, rows: u32, width: u32, first: u32, bound: u32 }

@group(0) @binding(1) var<storage, read> indices: array<u32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  let width4 = (params.width + 3u) / 4u;
  let t = i / width4;
  if t >= params.count { return; }
  let column = 4u * (i - t * width4);
  let row = place_of(indices[t], params.rows) - params.first; // rows before `first` wrap to a huge u32
  if row >= params.bound { return; }
  let live = params.width - column;
  store((t * params.width + column) / OUT_UNIT, b_at((row * params.width + column) / B_UNIT, live) * scale_at(row, column), live);
}
