// where: output = condition ? trueValue : falseValue, the three broadcast, four elements an invocation
//
// ports   Stored, Value, unpack (stored)   Result, pack (result)   Params, offsets (strides)   flat_index (grid)
// consts  WG

@group(0) @binding(1) var<storage, read> condition: array<u32>; // uint8, four to a u32
@group(0) @binding(2) var<storage, read> trueValue: array<Stored>;
@group(0) @binding(4) var<storage, read> falseValue: array<Stored>;
@group(0) @binding(3) var<storage, read_write> output: array<Result>;

fn condition_at(i: u32) -> bool { return ((condition[i / 4u] >> (8u * (i % 4u))) & 255u) != 0u; }
fn true_at(i: u32) -> Value { return unpack(trueValue[i / 4u])[i % 4u]; }
fn false_at(i: u32) -> Value { return unpack(falseValue[i / 4u])[i % 4u]; }

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * 4u >= params.count { return; }
  var value: vec4<Value>;
  for (var j = 0u; j < 4u; j++) {
    let at = offsets(4u * i + j);
    value[j] = select(false_at(at.z), true_at(at.y), condition_at(at.x));
  }
  output[i] = pack(value);
}
