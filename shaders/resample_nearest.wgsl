// resample_nearest: output = the element of the input at the one place of its row and of its column, four an invocation
//
// ports   Crossing, Places, crossing_of, source_of, place_at, bits_at, Params (resampled)   put (bits)   flat_index (grid)
// consts  WG

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * 4u >= params.count { return; }
  let c = crossing_of(i);
  let row = place_at(c.row);
  let column = place_at(c.column);
  let inside = min(row, column) >= Places();
  put(i, select(vec4u(params.fill), bits_at(source_of(c, row, column)), inside));
}
