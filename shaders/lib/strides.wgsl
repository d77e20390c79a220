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
