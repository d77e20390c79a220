// reduce: [outer, size, stride] gives [outer, stride]
//
// LANES invocations compute four outputs. Each folds its share of the four lines in order. A part for lines that lie beside one another,
// four to a vec4, and one for others.
// ports   Stored, unpack, Value (stored)   Result, pack (result)   none, fold, join, close (reduction, reduction_integer)
//         line_index (line)
// consts  LANES LINES

struct Params { count: u32, size: u32, stride: u32 }

@group(0) @binding(1) var<storage, read> input: array<Stored>;
@group(0) @binding(3) var<storage, read_write> output: array<Result>;

@compute @workgroup_size(LANES, LINES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let four = line_index(group, groups, local);
  let lines = min(vec4u(4u * four) + vec4u(0u, 1u, 2u, 3u), vec4u(params.count - 1u));
  let starts = lines / params.stride * params.size * params.stride + lines % params.stride;
  var total = none();
  for (var j = local.x; j < params.size; j += LANES) {
    total = fold(total, elements(starts + j * params.stride));
  }
  total = join(total, local.x, local.y);
  if local.x == 0u && 4u * four < params.count { output[four] = pack(close(total)); }
}

//# beside
fn elements(at: vec4u) -> vec4<Value> { return unpack(input[at.x / 4u]); }

//# apart
fn element(i: u32) -> Value { return unpack(input[i / 4u])[i % 4u]; }
fn elements(at: vec4u) -> vec4<Value> { return vec4<Value>(element(at.x), element(at.y), element(at.z), element(at.w)); }
