// quantize_scales: input [outer, blocks, size, inner] gives float32 [blocks, inner]: max |x| / levels over outer and size
//
// A block of zeros gives 1, a block with NaN gives NaN. LANES invocations share a block and read four elements at a
// time. Block `line` is [line / inner, line % inner]. |x| is compared by its bits: NaN has the largest.
// ports   Stored, unpack (stored)   float_of, is_nan (functions)   reduce_max (reducer)   line_index (line)
// consts  LANES LINES   WHOLE (outer and inner are 1, size is a multiple of 4)

struct Params { lines: u32, outer: u32, blocks: u32, size: u32, inner: u32, levels: f32 }

@group(0) @binding(1) var<storage, read> input: array<Stored>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

fn element(line: u32, k: u32) -> f32 {
  let row = k / params.size * params.blocks + line / params.inner;
  let i = (row * params.size + k % params.size) * params.inner + line % params.inner;
  return unpack(input[i / 4u])[i % 4u];
}

fn four(line: u32, j: u32) -> vec4f {
  if WHOLE { return unpack(input[line * (params.size / 4u) + j]); }
  let k = min(vec4u(4u * j) + vec4u(0u, 1u, 2u, 3u), vec4u(params.outer * params.size - 1u));
  return vec4f(element(line, k.x), element(line, k.y), element(line, k.z), element(line, k.w));
}

@compute @workgroup_size(LANES, LINES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let index = line_index(group, groups, local);
  let line = min(index, params.lines - 1u);
  let count4 = (params.outer * params.size + 3u) / 4u;
  var sizes = vec4u();
  for (var j = local.x; j < count4; j += LANES) { sizes = max(sizes, bitcast<vec4u>(four(line, j)) & vec4u(0x7fffffffu)); }
  let size = vec4f(float_of(max(max(sizes.x, sizes.y), max(sizes.z, sizes.w))));
  let most = reduce_max(select(size, vec4f(is_nan(size)), vec4<bool>(false, true, true, true)), local.x, local.y); // x: max |x|; y: whether an element is NaN
  let scale = select(most.x / params.levels, 1.0, most.x == 0.0);
  if local.x == 0u && index < params.lines { output[line] = select(scale, float_of(NAN), most.y > 0.0); }
}
