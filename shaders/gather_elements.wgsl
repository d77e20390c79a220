// gather_elements: indices of the output's shape: each element is that of the input at its own coordinates, `axis` taken from its index
//
// ports   fetch, put (bits)   place_of (place)   flat_index (grid)
// consts  WG

// An axis is (size in the output, stride in the input). The indexed one has stride 0 there: its `extent` elements are `stride` apart.
struct Params { count: u32, rank: u32, extent: u32, stride: u32, axes: array<vec4u, 8> }

@group(0) @binding(2) var<storage, read> indices: array<u32>;

fn element(index: u32) -> u32 {
  var rest = index;
  var at = place_of(indices[index], params.extent) * params.stride;
  for (var d = params.rank; d > 0u; d--) {
    let axis = params.axes[d - 1u];
    at += (rest % axis.x) * axis.y;
    rest /= axis.x;
  }
  return fetch(at);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * 4u >= params.count { return; }
  let last = params.count - 1u;
  put(i, vec4u(element(4u * i), element(min(4u * i + 1u, last)), element(min(4u * i + 2u, last)), element(min(4u * i + 3u, last))));
}
