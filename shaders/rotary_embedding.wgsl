// rotary_embedding: turns pairs of elements (x, y) of each head by the angle of its position: (x cos - y sin, y cos + x sin)
//
// input and output [lines, width], a line a head at a position; the first `size` elements are pairs. The others stay, and so do
// the heads from `turning` on; `apart` lines are of the same head. cos and sin [rows, angles]: the rows of a batch begin `batch` after
// those of the one before. Lengths count units: four elements, or one. An invocation makes a unit. RoFormer: Su et al. 2021.
// ports   Unit, Exact, turned, cos_of, sin_of (rotation)   angles_of (rotary_row)   flat_index (grid)
// consts  WG

struct Params {
  count: u32, width: u32, size: u32, step: u32,
  angles: u32, shift: u32, lines: u32, inner: u32,
  positions: u32, batch: u32, rows: u32, heads: u32,
  turning: u32, apart: u32,
}

@group(0) @binding(1) var<storage, read> input: array<Unit>;
@group(0) @binding(3) var<storage, read_write> output: array<Unit>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i >= params.count { return; }
  let line = i / params.width;
  let u = i - line * params.width;
  let whole = input[i];
  if u >= params.size || line / params.apart % params.heads >= params.turning { output[i] = whole; return; }
  let batch = line / params.lines;
  let row = angles_of(batch * params.batch + line / params.inner % params.positions);
  let x = Exact(whole);
  output[i] = Unit(x * cos_of(row, u) + turned(x, i, u) * sin_of(row, u));
}
