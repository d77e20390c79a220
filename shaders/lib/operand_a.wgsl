// The left operand, or an image: four consecutive elements as float32. `i` counts A_UNIT elements; only the first `live`
// of the four belong to the row, the rest read as zero.

//# vec4
const A_UNIT = 4u;
@group(0) @binding(1) var<storage, read> a: array<Elem4>;
fn a_at(i: u32, live: u32) -> vec4f { return vec4f(a[i]); }

//# ragged
const A_UNIT = 1u;
@group(0) @binding(1) var<storage, read> a: array<Elem>;
fn a_at(i: u32, live: u32) -> vec4f {
  let v = vec4f(f32(a[i]), f32(a[i + 1u]), f32(a[i + 2u]), f32(a[i + 3u]));
  return select(vec4f(), v, vec4u(0u, 1u, 2u, 3u) < vec4u(live));
}
