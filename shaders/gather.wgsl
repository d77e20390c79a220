// gather: [outer, axis, inner] and indices [count] give [outer, count, inner]; an index is clamped to the axis, -1 is the last
//
// ports   fetch, put (bits)   flat_index (grid)
// consts  WG

struct Params { count: u32, axis: u32, inner: u32, indices: u32 }

@group(0) @binding(2) var<storage, read> indices: array<i32>;

fn element(index: u32) -> u32 {
  let row = index / params.inner;
  let outer = row / params.indices;
  let wanted = indices[row - outer * params.indices];
  let extent = i32(params.axis);
  let at = clamp(select(wanted, wanted + extent, wanted < 0), 0, extent - 1);
  return fetch((outer * params.axis + u32(at)) * params.inner + index - row * params.inner);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * 4u >= params.count { return; }
  let last = params.count - 1u;
  put(i, vec4u(element(4u * i), element(min(4u * i + 1u, last)), element(min(4u * i + 2u, last)), element(min(4u * i + 3u, last))));
}
