// unblock: float32 numbers, or scales, of GGML's blocks
//
// ports   four (ggml)   flat_index (grid)
// consts  WG

struct Params { count4: u32 }

@group(0) @binding(1) var<storage, read> input: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i < params.count4 { output[i] = four(4u * i); }
}
