// layer_normalization: output = (x - mean) / sqrt(variance + epsilon) * scale + bias over lines of `size` elements
//
// Two passes: the mean, then the variance of x - mean. A single pass loses digits where the mean is large. Where not CENTRED, the mean
// counts as 0, and the variance is the mean of squares (Zhang & Sennrich 2019).
// ports   a_at (operand_a)   store (store)   scale_and_shift (affine, affine_scale)   reduce_sum (reducer)   line_index (line)
// consts  LANES LINES   CENTRED

struct Params { lines: u32, size: u32, epsilon: f32 }

@compute @workgroup_size(LANES, LINES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let wanted = line_index(group, groups, local);
  let start = min(wanted, params.lines - 1u) * (params.size / A_UNIT);
  let size = f32(params.size);
  var mean = 0.0;
  if CENTRED {
    var sum = vec4f();
    for (var i = 4u * local.x; i < params.size; i += 4u * LANES) { sum += a_at(start + i / A_UNIT, params.size - i); }
    mean = dot(reduce_sum(sum, local.x, local.y), vec4f(1.0)) / size;
  }
  var squares = vec4f();
  for (var i = 4u * local.x; i < params.size; i += 4u * LANES) {
    let live = vec4u(0u, 1u, 2u, 3u) < vec4u(params.size - i);
    let d = select(vec4f(), a_at(start + i / A_UNIT, params.size - i) - mean, live);
    squares += d * d;
  }
  let variance = dot(reduce_sum(squares, local.x, local.y), vec4f(1.0)) / size;
  let factor = 1.0 / sqrt(variance + params.epsilon);
  if wanted >= params.lines { return; }
  for (var i = 4u * local.x; i < params.size; i += 4u * LANES) {
    let x = (a_at(start + i / A_UNIT, params.size - i) - mean) * factor;
    store(start + i / A_UNIT, scale_and_shift(x, i / A_UNIT), params.size - i);
  }
}
