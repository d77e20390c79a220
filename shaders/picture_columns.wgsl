// picture_columns: a picture gives lines [3, rows, columns]: of each row that is needed, the columns that it is resized to
//
// A tap is the first pixel that a column is made of, and where its weights begin and end (src/vision/resample.ts).
// ports   colour_at (picture)   flat_index (grid)
// consts  WG

// count: rows * columns. stride: pixels from row to row of a picture in a buffer.
struct Params { count: u32, columns: u32, first_row: u32, stride: u32 }

@group(0) @binding(2) var<storage, read> taps: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> lines: array<f32>;
@group(0) @binding(4) var<storage, read> weights: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i >= params.count { return; }
  let row = i / params.columns;
  let tap = taps[i - row * params.columns];
  var sum = vec3f();
  for (var at = tap.y; at < tap.z; at++) {
    sum += weights[at] * colour_at(tap.x + at - tap.y, params.first_row + row);
  }
  lines[i] = sum.r;
  lines[i + params.count] = sum.g;
  lines[i + 2u * params.count] = sum.b;
}
