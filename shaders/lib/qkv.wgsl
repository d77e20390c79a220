// query_at, key_at, value_at: four elements of a row, from element `d` of the head on. Rows may be wider than the operand: packed
// [query, key, value], or a KV cache. Elements beyond the head count in no output; ragged reads zeros there. key_in, value_in take
// the place of the four in units of QKV_UNIT elements.

//# vec4
const QKV_UNIT = 4u;
@group(0) @binding(1) var<storage, read> query: array<Elem4>;
@group(0) @binding(2) var<storage, read> key: array<Elem4>;
@group(0) @binding(4) var<storage, read> value: array<Elem4>;
fn query_at(start: u32, d: u32) -> vec4f { return vec4f(query[(start + d) / 4u]); }
fn key_in(i: u32, d: u32) -> vec4f { return vec4f(key[i]); }
fn key_at(start: u32, d: u32) -> vec4f { return vec4f(key[(start + d) / 4u]); }
fn value_in(i: u32, d: u32) -> vec4f { return vec4f(value[i]); }
fn value_at(start: u32, d: u32) -> vec4f { return vec4f(value[(start + d) / 4u]); }

//# ragged
const QKV_UNIT = 1u;
@group(0) @binding(1) var<storage, read> query: array<Elem>;
@group(0) @binding(2) var<storage, read> key: array<Elem>;
@group(0) @binding(4) var<storage, read> value: array<Elem>;
fn inside(d: u32) -> vec4<bool> { return vec4u(d) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.head_size); }
fn query_at(start: u32, d: u32) -> vec4f {
  let i = start + d;
  return select(vec4f(), vec4f(f32(query[i]), f32(query[i + 1u]), f32(query[i + 2u]), f32(query[i + 3u])), inside(d));
}
fn key_in(i: u32, d: u32) -> vec4f {
  return select(vec4f(), vec4f(f32(key[i]), f32(key[i + 1u]), f32(key[i + 2u]), f32(key[i + 3u])), inside(d));
}
fn key_at(start: u32, d: u32) -> vec4f { return key_in(start + d, d); }
fn value_in(i: u32, d: u32) -> vec4f {
  return select(vec4f(), vec4f(f32(value[i]), f32(value[i + 1u]), f32(value[i + 2u]), f32(value[i + 3u])), inside(d));
}
fn value_at(start: u32, d: u32) -> vec4f { return value_in(start + d, d); }
