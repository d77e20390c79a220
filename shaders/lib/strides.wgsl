// Broadcasting by strides: an axis of the output is (size, stride in a, stride in b, stride in c), 0 where it repeats.
struct Params { count: u32, rank: u32, axes: array<vec4u, 8> }

// The place of element `index` of the output in each operand.
fn offsets(index: u32) -> vec3u {
  var rest = min(index, params.count - 1u);
  var offset = vec3u();
  for (var d = params.rank; d > 0u; d--) {
    let axis = params.axes[d - 1u];
    offset += (rest % axis.x) * axis.yzw;
    rest /= axis.x;
  }
  return offset;
}

// The places of four elements, from `index` on, a multiple of four. Where all are side by side on the last axis, the others are walked once.
fn offsets_of_four(index: u32) -> array<vec3u, 4> {
  let last = params.axes[max(params.rank, 1u) - 1u];
  if last.x % 4u == 0u {
    let at = offsets(index);
    let step = last.yzw;
    return array(at, at + step, at + 2u * step, at + 3u * step);
  }
  var at: array<vec3u, 4>;
  for (var j = 0u; j < 4u; j++) { at[j] = offsets(index + j); }
  return at;
}
