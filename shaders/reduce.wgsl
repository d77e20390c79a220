// reduce: an axis of `size` elements, `stride` apart, becomes one; [outer, size, stride] becomes [outer, stride]
//
// Four outputs an invocation, each summed in order.
// ports   Stored, Value, unpack (stored)   Result, pack (result)   START, fold, close (reduction)   flat_index (grid)
// consts  WG

struct Params { count: u32, size: u32, stride: u32 }

@group(0) @binding(1) var<storage, read> input: array<Stored>;
@group(0) @binding(3) var<storage, read_write> output: array<Result>;

fn element(i: u32) -> Value { return unpack(input[i / 4u])[i % 4u]; }

fn line(index: u32) -> f32 {
  let i = min(index, params.count - 1u);
  let start = i / params.stride * params.size * params.stride + i % params.stride;
  var total = START;
  for (var j = 0u; j < params.size; j++) { total = fold(total, f32(element(start + j * params.stride))); }
  return close(total);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if 4u * i >= params.count { return; }
  output[i] = pack(vec4<Value>(vec4f(line(4u * i), line(4u * i + 1u), line(4u * i + 2u), line(4u * i + 3u))));
}
