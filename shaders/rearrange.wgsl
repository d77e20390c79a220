// rearrange: transpose, slice, pad, expand, reverse and tile are one walk over the input
//
// Coordinate c of an axis of the output reads coordinate start + c * step of the input; beyond the input the border decides.
// ports   fetch, put (bits)   border (border)   flat_index (grid)
// consts  WG

// An axis is (size in the output, step, start, size in the input).
struct Params { count: u32, rank: u32, fill: u32, unused: u32, axes: array<vec4i, 8>, strides: array<vec4i, 2> }

struct Place { offset: i32, inside: bool }

// Where an element of the output, as counted along its first `rank` axes, is in the input.
fn place_of(index: u32, rank: u32) -> Place {
  var rest = i32(index);
  var place = Place(0, true);
  for (var d = rank; d > 0u; d--) {
    let axis = params.axes[d - 1u];
    place = along(place, d - 1u, rest % axis.x);
    rest /= axis.x;
  }
  return place;
}

// A place, and coordinate c of axis d of the output.
fn along(place: Place, d: u32, c: i32) -> Place {
  let axis = params.axes[d];
  let x = border(c * axis.y + axis.z, axis.w);
  return Place(place.offset + x * params.strides[d / 4u][d % 4u], place.inside && x >= 0);
}

fn element(place: Place) -> u32 {
  if !place.inside { return params.fill; }
  return fetch(u32(place.offset));
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * 4u >= params.count { return; }
  let d = max(params.rank, 1u) - 1u;
  let width = u32(params.axes[d].x);
  var v: vec4u;
  if params.rank > 0u && width % 4u == 0u { // the four are side by side on the last axis: the others are walked once
    let row = 4u * i / width;
    let outer = place_of(row, d);
    let c = i32(4u * i - row * width);
    v = vec4u(element(along(outer, d, c)), element(along(outer, d, c + 1)), element(along(outer, d, c + 2)), element(along(outer, d, c + 3)));
  } else {
    for (var j = 0u; j < 4u; j++) { v[j] = element(place_of(min(4u * i + j, params.count - 1u), params.rank)); }
  }
  put(i, v);
}
