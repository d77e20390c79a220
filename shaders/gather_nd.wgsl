// gather_nd: input [axes.., inner] and indices [rows, rank] give [rows, inner]: row r is input[indices[r]]
//
// ports   fetch, put (bits)   slice_of (slices)   flat_index (grid)
// consts  WG

struct Params { count: u32, rank: u32, inner: u32, axes: array<vec4u, 2> }

@group(0) @binding(2) var<storage, read> indices: array<u32>;

fn element(index: u32) -> u32 {
  let row = index / params.inner;
  return fetch(slice_of(row) * params.inner + index - row * params.inner);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * 4u >= params.count { return; }
  let last = params.count - 1u;
  put(i, vec4u(element(4u * i), element(min(4u * i + 1u, last)), element(min(4u * i + 2u, last)), element(min(4u * i + 3u, last))));
}
