// scatter_elements: output = input; then output[.., indices[i], ..] = combine(that, updates[i]) for every element i of the updates, in order
//
// An invocation owns four elements of the output: what hits one twice keeps its order, and no two invocations write a word.
// ports   unpack (stored)   pack (result)   after_hits (hits)   flat_index (grid)
// consts  WG

// An axis is (size in the input, size in the indices, stride in the indices, 0), and (size in the input, the same, 0, 1) where the indices point.
// There the input has `extent` elements; the indices have `length`, `stride` apart.
struct Params { count: u32, rank: u32, extent: u32, length: u32, stride: u32, axes: array<vec4u, 8> }

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * 4u >= params.count { return; }
  var rest = min(vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u), vec4u(params.count - 1u));
  var start = vec4u(); // where the line begins in the indices
  var own = vec4u(); // the coordinate on it
  var inside = vec4<bool>(true, true, true, true);
  for (var d = params.rank; d > 0u; d--) {
    let axis = params.axes[d - 1u];
    let c = rest % axis.x;
    rest /= vec4u(axis.x);
    inside &= c < vec4u(axis.y);
    start += c * axis.z;
    own += c * axis.w;
  }
  start = select(vec4u(), start, inside);
  let line = start / (params.stride * params.length) * params.stride + start % params.stride;
  output[i] = pack(after_hits(unpack(input[i]), line, own, inside, start, params.stride));
}
