// rearrange: transpose, slice, pad, expand and reverse are one walk over the input
//
// Coordinate c of an axis of the output reads coordinate start + c * step of the input; beyond the input the border decides.
// ports   fetch, put (bits)   border (border)   flat_index (grid)
// consts  WG

// An axis is (size in the output, step, start, size in the input).
struct Params { count: u32, rank: u32, fill: u32, unused: u32, axes: array<vec4i, 8>, strides: array<vec4i, 2> }

fn element(index: u32) -> u32 {
  var rest = i32(index);
  var offset = 0;
  var inside = true;
  for (var d = params.rank; d > 0u; d--) {
    let axis = params.axes[d - 1u];
    let x = border(rest % axis.x * axis.y + axis.z, axis.w);
    inside = inside && x >= 0;
    offset += x * params.strides[(d - 1u) / 4u][(d - 1u) % 4u];
    rest /= axis.x;
  }
  if !inside { return params.fill; }
  return fetch(u32(offset));
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * 4u >= params.count { return; }
  var v: vec4u;
  for (var j = 0u; j < 4u; j++) {
    v[j] = element(min(4u * i + j, params.count - 1u));
  }
  put(i, v);
}
