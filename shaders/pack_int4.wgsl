// pack_int4: int8 from -8 to 7 as int4, eight to a word, in the order of operand_b
//
// ports   flat_index (grid)
// consts  WG

struct Params { count8: u32 }

@group(0) @binding(1) var<storage, read> input: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i >= params.count8 { return; }
  let nibbles = input[i] & vec2u(0x0f0f0f0fu);
  output[i] = nibbles.x | (nibbles.y << 4u);
}
