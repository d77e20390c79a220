// arg_reduce: the index of the largest or smallest element along an axis, of equals the first; [outer, size, stride] becomes
// int32 [outer, stride]
//
// LANES invocations share a line: of those that hold the best, the lowest index counts. Indices meet as float32, which
// holds them up to 2^24.
// ports   Elem (elem)   rank (extremum)   reduce_max (reducer)   line_index (line)
// consts  LANES LINES

struct Params { lines: u32, size: u32, stride: u32 }

@group(0) @binding(1) var<storage, read> input: array<Elem>;
@group(0) @binding(3) var<storage, read_write> output: array<i32>;

@compute @workgroup_size(LANES, LINES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let wanted = line_index(group, groups, local);
  let line = min(wanted, params.lines - 1u);
  let start = line / params.stride * params.size * params.stride + line % params.stride;
  var best = min(local.x, params.size - 1u);
  var top = rank(f32(input[start + best * params.stride]));
  for (var j = best + LANES; j < params.size; j += LANES) {
    let other = rank(f32(input[start + j * params.stride]));
    if other > top {
      top = other;
      best = j;
    }
  }
  let highest = reduce_max(vec4f(top), local.x, local.y).x;
  let first = -reduce_max(vec4f(select(-f32(best), -3e38, top < highest)), local.x, local.y).x;
  if local.x == 0u && wanted < params.lines { output[line] = select(i32(first), i32(best), LANES == 1u); }
}
