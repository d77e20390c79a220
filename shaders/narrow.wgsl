// narrow: float32 as the bits of float16, rounded to nearest even; too large numbers become infinite. Needs no shader-f16
//
// It rounds the bits itself: pack2x16float is undefined for numbers that overflow. Below 2^-14 float16 has steps of
// 2^-24, as float32 has from 0.5 to 1: adding 0.5 rounds to them.
// ports   flat_index (grid)
// consts  WG

struct Params { count4: u32 }

@group(0) @binding(1) var<storage, read> input: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> output: array<vec2u>;

fn half(x: vec4u) -> vec4u {
  let size = x & vec4u(0x7fffffffu);
  let normal = min((size + ((size >> vec4u(13u)) & vec4u(1u)) + 0xfffu - (112u << 23u)) >> vec4u(13u), vec4u(0x7c00u));
  let small = bitcast<vec4u>(bitcast<vec4f>(size) + 0.5) - bitcast<u32>(0.5);
  let finite = select(normal, small, size < vec4u(113u << 23u));
  return ((x >> vec4u(16u)) & vec4u(0x8000u)) | select(finite, vec4u(0x7e00u), size > vec4u(0x7f800000u));
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i >= params.count4 { return; }
  let four = half(input[i]);
  output[i] = four.xz | (four.yw << vec2u(16u));
}
