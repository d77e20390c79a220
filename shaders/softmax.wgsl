// softmax: output = exp(x - max) / sum(exp(x - max)) along `size` of [outer, size, stride]
//
// A line is one pair (outer, stride). LANES invocations walk it in three passes. A line with NaN or Infinity, or with
// -Infinity only, gives NaN: its sum is NaN, or infinite where exp(NaN) is (SwiftShader); a sum of finite numbers is
// neither.
// ports   Elem (elem)   float_of (functions)   reduce_max, reduce_sum (reducer)   line_index (line)
// consts  LANES LINES

struct Params { lines: u32, size: u32, stride: u32 }

@group(0) @binding(1) var<storage, read> input: array<Elem>;
@group(0) @binding(3) var<storage, read_write> output: array<Elem>;

@compute @workgroup_size(LANES, LINES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let wanted = line_index(group, groups, local);
  let line = min(wanted, params.lines - 1u);
  let start = line / params.stride * params.size * params.stride + line % params.stride;
  var top = -float_of(INFINITY);
  for (var i = local.x; i < params.size; i += LANES) { top = max(top, f32(input[start + i * params.stride])); }
  top = reduce_max(vec4f(top), local.x, local.y).x;
  var sum = 0.0;
  for (var i = local.x; i < params.size; i += LANES) { sum += exp(f32(input[start + i * params.stride]) - top); }
  sum = reduce_sum(vec4f(sum), local.x, local.y).x;
  if wanted >= params.lines { return; }
  let spoilt = (bitcast<u32>(sum) & INFINITY) == INFINITY;
  sum = select(sum, float_of(NAN), spoilt);
  for (var i = local.x; i < params.size; i += LANES) {
    let at = start + i * params.stride;
    output[at] = Elem(exp(f32(input[at]) - top) / sum);
  }
}
