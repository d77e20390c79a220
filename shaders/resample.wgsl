// resample: output = sum over the taps of its row and its column of weight * input, four elements an invocation
//
// ports   Crossing, Places, Weights, crossing_of, source_of, place_at, weight_at, floats_at, Params (resampled)
//         Stored, Value (stored)   Result, pack (result)   flat_index (grid)
// consts  WG

@group(0) @binding(1) var<storage, read> input: array<Stored>;
@group(0) @binding(4) var<storage, read> weights: array<f32>; // an entry each, as `places`
@group(0) @binding(3) var<storage, read_write> output: array<Result>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * 4u >= params.count { return; }
  let c = crossing_of(i);
  var sum = vec4f();
  for (var y = 0u; y < params.row_taps; y++) {
    let row = place_at(c.row + y);
    let row_weight = weight_at(c.row + y);
    for (var x = 0u; x < params.column_taps; x++) {
      sum += row_weight * weight_at(c.column + x) * floats_at(source_of(c, row, place_at(c.column + x)));
    }
  }
  let inside = min(place_at(c.row), place_at(c.column)) >= Places();
  output[i] = pack(vec4<Value>(select(vec4f(bitcast<f32>(params.fill)), sum, inside)));
}
