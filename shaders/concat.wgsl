// concat: rows of the input and of the other alternate: [outer, a] and [outer, b] give [outer, a + b]
//
// ports   fetch, put (bits)   fetch_other (bits_other)   flat_index (grid)
// consts  WG

struct Params { count: u32, a: u32, b: u32 }

fn element(index: u32) -> u32 {
  let row = index / (params.a + params.b);
  let column = index - row * (params.a + params.b);
  if column < params.a { return fetch(row * params.a + column); }
  return fetch_other(row * params.b + column - params.a);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * 4u >= params.count { return; }
  let last = params.count - 1u;
  put(i, vec4u(element(4u * i), element(min(4u * i + 1u, last)), element(min(4u * i + 2u, last)), element(min(4u * i + 3u, last))));
}
