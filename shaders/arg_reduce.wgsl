// arg_reduce: the index of the largest or smallest element along an axis; [outer, size, stride] becomes int32 [outer, stride]
//
// ports   Elem (elem)   better (extremum)   flat_index (grid)
// consts  WG

struct Params { count: u32, size: u32, stride: u32 }

@group(0) @binding(1) var<storage, read> input: array<Elem>;
@group(0) @binding(3) var<storage, read_write> output: array<i32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i >= params.count { return; }
  let start = i / params.stride * params.size * params.stride + i % params.stride;
  var best = 0u;
  for (var j = 1u; j < params.size; j++) {
    if better(f32(input[start + j * params.stride]), f32(input[start + best * params.stride])) { best = j; }
  }
  output[i] = i32(best);
}
