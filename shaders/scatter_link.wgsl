// scatter_link: heads[line, place] = the first update of the line that hits the place; links[line, j] = the next after j that hits where j does
//
// An invocation a line, from its last update to its first. What no update hits keeps the number that was there before: whoever reads it checks it
// (hits), so nothing has to be cleared.
// ports   target_of (scatter_targets)   flat_index (grid)
// consts  WG

struct Params { lines: u32, length: u32, extent: u32, stride: u32, rank: u32, axes: array<vec4u, 2> }

@group(0) @binding(2) var<storage, read> indices: array<u32>;
@group(0) @binding(5) var<storage, read_write> heads: array<u32>;
@group(0) @binding(6) var<storage, read_write> links: array<u32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let line = flat_index(id, groups);
  if line >= params.lines { return; }
  for (var left = params.length; left > 0u; left--) {
    let j = left - 1u;
    let head = line * params.extent + target_of(line, j);
    links[line * params.length + j] = heads[head];
    heads[head] = j;
  }
}
