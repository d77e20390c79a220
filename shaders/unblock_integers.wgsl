// unblock: int8 numbers of GGML's blocks, without their scales
//
// ports   integers (ggml)   flat_index (grid)
// consts  WG

struct Params { count4: u32 }

@group(0) @binding(1) var<storage, read> input: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i >= params.count4 { return; }
  let four = integers(4u * i);
  output[i] = four.x | (four.y << 8u) | (four.z << 16u) | (four.w << 24u);
}
