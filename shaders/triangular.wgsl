// triangular: of each matrix [rows, columns] the elements whose column less their row is from `low` to `high`, and 0 elsewhere
//
// ports   fetch, put (bits)   flat_index (grid)
// consts  WG

struct Params { count: u32, rows: u32, columns: u32, low: i32, high: i32 }

fn element(index: u32) -> u32 {
  let line = index / params.columns;
  let diagonal = i32(index - line * params.columns) - i32(line % params.rows);
  if diagonal < params.low || diagonal > params.high { return 0u; }
  return fetch(index);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * 4u >= params.count { return; }
  let last = params.count - 1u;
  put(i, vec4u(element(4u * i), element(min(4u * i + 1u, last)), element(min(4u * i + 2u, last)), element(min(4u * i + 3u, last))));
}
