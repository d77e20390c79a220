// arg_reduce: [outer, size, stride] gives int32 [outer, stride]: the index of the largest or smallest element along the axis
//
// The first of equal elements counts; the first NaN where there is one. LAST: the line is read from its end. LANES
// invocations share a line and compare what they claim by their indices: the largest wins.
// ports   Elem (elem)   rank, Rank, spoils, claim, claimed (extremum)   reduce_max (reducer, reducer_integer)
//         line_index (line)
// consts  LANES LINES LAST

struct Params { lines: u32, size: u32, stride: u32 }

@group(0) @binding(1) var<storage, read> input: array<Elem>;
@group(0) @binding(3) var<storage, read_write> output: array<i32>;

fn place(i: u32) -> u32 { return select(i, params.size - 1u - i, LAST); }

@compute @workgroup_size(LANES, LINES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let wanted = line_index(group, groups, local);
  let line = min(wanted, params.lines - 1u);
  let start = line / params.stride * params.size * params.stride + line % params.stride;
  var best = min(local.x, params.size - 1u);
  var top = rank(input[start + place(best) * params.stride]);
  var spoilt = spoils(top);
  for (var j = best + LANES; j < params.size && !spoilt; j += LANES) {
    let other = rank(input[start + place(j) * params.stride]);
    spoilt = spoils(other);
    if other > top || spoilt {
      top = other;
      best = j;
    }
  }
  let highest = reduce_max(vec4<Rank>(top), local.x, local.y).x;
  let first = claimed(reduce_max(vec4<Rank>(claim(best, top < highest, spoilt)), local.x, local.y).x);
  if local.x == 0u && wanted < params.lines { output[line] = i32(place(select(first, best, LANES == 1u))); }
}
