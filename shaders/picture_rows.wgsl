// picture_rows: lines [3, rows, columns] give output [3, height, columns] = (resized along the rows - mean) / std
//
// An invocation writes a word: one float32, or two float16. The first tap of a row is `taps[columns]`.
// ports   flat_index (grid)
// consts  WG PER_WORD

// count: elements of the output. area: height * columns. lines: rows * columns.
struct Params { count: u32, area: u32, columns: u32, first_row: u32, lines: u32, mean: vec4f, deviation: vec4f }

@group(0) @binding(1) var<storage, read> lines: array<f32>;
@group(0) @binding(2) var<storage, read> taps: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> output: array<u32>;
@group(0) @binding(4) var<storage, read> weights: array<f32>;

fn element(i: u32) -> f32 {
  let plane = i / params.area;
  let row = (i - plane * params.area) / params.columns;
  let column = i % params.columns;
  let tap = taps[params.columns + row];
  let line = plane * params.lines + column;
  var sum = 0.0;
  for (var at = tap.y; at < tap.z; at++) {
    sum += weights[at] * lines[line + (tap.x + at - tap.y - params.first_row) * params.columns];
  }
  return (sum - params.mean[plane]) / params.deviation[plane];
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * PER_WORD >= params.count { return; }
  let first = element(i * PER_WORD);
  if PER_WORD == 1u {
    output[i] = bitcast<u32>(first);
  } else {
    output[i] = pack2x16float(vec2f(first, element(min(2u * i + 1u, params.count - 1u))));
  }
}
