// quantize_linear: round(input / scale) + zeroPoint, ties to even, clamped to the integer type; four elements an invocation
//
// ports   Stored, unpack (stored)   Elem (elem)   Result, pack (result)   zero_points (zero_point)   blocks_of (blocks)   flat_index (grid)
//         Params (blocks, strides)
// consts  WG   LOW HIGH (of the integer type)

@group(0) @binding(1) var<storage, read> input: array<Stored>;
@group(0) @binding(2) var<storage, read> scale: array<Elem>;
@group(0) @binding(3) var<storage, read_write> output: array<Result>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * 4u >= params.count { return; }
  let at = blocks_of(i);
  let step = vec4f(f32(scale[at.x]), f32(scale[at.y]), f32(scale[at.z]), f32(scale[at.w]));
  output[i] = pack(clamp(round(unpack(input[i]) / step) + vec4f(zero_points(at)), vec4f(LOW), vec4f(HIGH)));
}
