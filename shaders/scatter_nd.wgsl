// scatter_nd: output = input [axes.., inner]; then output[indices[r]] = combine(that, updates[r]) for every row r of [rows, inner], in order
//
// An element of the output looks at all rows of indices: what hits one twice keeps its order, and no two invocations write a word. Work is
// elements times rows: fine for the few rows of a mask or of a cache, slow where there are as many rows as elements.
// ports   unpack (stored)   pack (result)   updated (updates)   slice_of (slices)   flat_index (grid)
// consts  WG

struct Params { count: u32, rank: u32, inner: u32, rows: u32, axes: array<vec4u, 2> }

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * 4u >= params.count { return; }
  let element = vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u);
  let own = element / params.inner;
  let column = element - own * params.inner;
  var total = unpack(input[i]);
  for (var row = 0u; row < params.rows; row++) {
    let hit = own == vec4u(slice_of(row));
    if any(hit) { total = updated(total, row * params.inner + column, hit); }
  }
  output[i] = pack(total);
}
