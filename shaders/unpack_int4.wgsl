// unpack_int4: int8 out of int4; eight to a word, as pack_int4 writes them
//
// ports   flat_index (grid)
// consts  WG

struct Params { count8: u32 }

@group(0) @binding(1) var<storage, read> input: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<vec2u>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i >= params.count8 { return; }
  let nibbles = vec2u(input[i], input[i] >> 4u) & vec2u(0x0f0f0f0fu);
  // What is negative, 8 to 15, has its highest bit in the four above as well.
  output[i] = nibbles | ((nibbles & vec2u(0x08080808u)) * 30u);
}
