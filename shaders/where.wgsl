// where: output = condition ? trueValue : falseValue, the three broadcast, four elements an invocation
//
// ports   Stored, Value, unpack (stored)   Result, pack (result)   Params, offsets_of_four (strides)   flat_index (grid)
// consts  WG

@group(0) @binding(1) var<storage, read> condition: array<u32>; // uint8, four to a u32
@group(0) @binding(2) var<storage, read> trueValue: array<Stored>;
@group(0) @binding(4) var<storage, read> falseValue: array<Stored>;
@group(0) @binding(3) var<storage, read_write> output: array<Result>;

fn condition_at(i: u32) -> bool { return ((condition[i / 4u] >> (8u * (i % 4u))) & 255u) != 0u; }
fn true_at(i: u32) -> Value { return unpack(trueValue[i / 4u])[i % 4u]; }
fn false_at(i: u32) -> Value { return unpack(falseValue[i / 4u])[i % 4u]; }
fn chosen(at: vec3u) -> Value { return select(false_at(at.z), true_at(at.y), condition_at(at.x)); }

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * 4u >= params.count { return; }
  let at = offsets_of_four(4u * i);
  output[i] = pack(vec4<Value>(chosen(at[0]), chosen(at[1]), chosen(at[2]), chosen(at[3])));
}
