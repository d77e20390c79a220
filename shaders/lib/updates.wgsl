// What a scatter writes onto its input: four elements of the output an invocation, each of which takes the updates that hit it in their order.
// updated   `total` and one more update of each of the four that is hit: the elements `source` of the updates
// ports   Stored, Value, unpack (stored)   Result (result)   combine (binary, overwrite)

@group(0) @binding(1) var<storage, read> input: array<Stored>;
@group(0) @binding(2) var<storage, read> indices: array<u32>;
@group(0) @binding(4) var<storage, read> updates: array<Stored>;
@group(0) @binding(3) var<storage, read_write> output: array<Result>;

fn update_at(i: u32) -> Value { return unpack(updates[i / 4u])[i % 4u]; }

fn updated(total: vec4<Value>, source: vec4u, hit: vec4<bool>) -> vec4<Value> {
  return select(total, combine(total, vec4<Value>(update_at(source.x), update_at(source.y), update_at(source.z), update_at(source.w))), hit);
}
