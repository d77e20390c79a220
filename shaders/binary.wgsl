// binary: output = combine(a, b). An operand has the output's shape, repeats within it, or is one number
//
// period p: the p vec4 of the operand repeat, as [C] against [N,C] with C a multiple of 4. splat: the operand is one number.
// ports   Stored, unpack, Value (stored)   Result, pack (result)   flat_index (grid)   combine (binary, binary_math, binary_logic)
// consts  WG

struct Params { count4: u32, a_period: u32, b_period: u32, a_splat: u32, b_splat: u32 }

@group(0) @binding(1) var<storage, read> a: array<Stored>;
@group(0) @binding(2) var<storage, read> b: array<Stored>;
@group(0) @binding(3) var<storage, read_write> output: array<Result>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i >= params.count4 { return; }
  let x = unpack(a[i % params.a_period]);
  let y = unpack(b[i % params.b_period]);
  output[i] = pack(combine(select(x, vec4<Value>(x.x), params.a_splat != 0u), select(y, vec4<Value>(y.x), params.b_splat != 0u)));
}
