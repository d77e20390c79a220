// binary_strided: output = combine(a, b) for any two shapes that broadcast, four elements an invocation
//
// ports   Stored, Value, unpack (stored)   Result, pack (result)   Params, offsets_of_four (strides)   flat_index (grid)
//         combine (binary, binary_math, binary_logic)
// consts  WG

@group(0) @binding(1) var<storage, read> a: array<Stored>;
@group(0) @binding(2) var<storage, read> b: array<Stored>;
@group(0) @binding(3) var<storage, read_write> output: array<Result>;

fn a_at(i: u32) -> Value { return unpack(a[i / 4u])[i % 4u]; }
fn b_at(i: u32) -> Value { return unpack(b[i / 4u])[i % 4u]; }

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * 4u >= params.count { return; }
  let at = offsets_of_four(4u * i);
  let x = vec4<Value>(a_at(at[0].x), a_at(at[1].x), a_at(at[2].x), a_at(at[3].x));
  let y = vec4<Value>(b_at(at[0].y), b_at(at[1].y), b_at(at[2].y), b_at(at[3].y));
  output[i] = pack(combine(x, y));
}
