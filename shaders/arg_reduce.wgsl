// arg_reduce: [outer, size, stride] gives int32 [outer, stride]: the index of the largest or smallest element along the axis
//
// The first of equal elements counts; the first NaN where there is one. LANES invocations share a line and compare
// their indices as float32, which is exact up to 2^24: -index, or for NaN 2^24 - index, which is above all others. The
// largest wins.
// ports   Elem (elem)   rank (extremum)   is_nan (functions)   reduce_max (reducer)   line_index (line)
// consts  LANES LINES

const MOST = 16777216.0;

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
  var spoilt = is_nan(vec4f(top)).x;
  for (var j = best + LANES; j < params.size && !spoilt; j += LANES) {
    let other = rank(f32(input[start + j * params.stride]));
    spoilt = is_nan(vec4f(other)).x;
    if other > top || spoilt {
      top = other;
      best = j;
    }
  }
  let highest = reduce_max(vec4f(top), local.x, local.y).x;
  let mine = select(select(-f32(best), -3e38, top < highest), MOST - f32(best), spoilt);
  let first = reduce_max(vec4f(mine), local.x, local.y).x;
  let index = select(-first, MOST - first, first > 0.0);
  if local.x == 0u && wanted < params.lines { output[line] = select(i32(index), i32(best), LANES == 1u); }
}
