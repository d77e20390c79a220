// scatter_nd: output = input [axes.., inner]; then output[indices[r]] = combine(that, updates[r]) for every row r of [rows, inner], in order
//
// An invocation owns four elements of the output: what hits one twice keeps its order, and no two invocations write a word.
// ports   unpack (stored)   pack (result)   after_hits (hits)   flat_index (grid)
// consts  WG

struct Params { count: u32, rank: u32, inner: u32, length: u32, extent: u32, axes: array<vec4u, 2> }

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * 4u >= params.count { return; }
  let element = vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u);
  let own = element / params.inner;
  let column = element - own * params.inner;
  let everywhere = vec4<bool>(true, true, true, true);
  output[i] = pack(after_hits(unpack(input[i]), vec4u(), own, everywhere, column, params.inner));
}
