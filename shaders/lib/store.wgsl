// The output: four consecutive elements. `i` counts OUT_UNIT elements; only the first `live` of the four are written.

//# vec4
const OUT_UNIT = 4u;
@group(0) @binding(3) var<storage, read_write> output: array<Elem4>;
fn store(i: u32, v: vec4f, live: u32) { output[i] = Elem4(v); }

//# ragged
const OUT_UNIT = 1u;
@group(0) @binding(3) var<storage, read_write> output: array<Elem>;
fn store(i: u32, v: vec4f, live: u32) {
  output[i] = Elem(v.x);
  if live > 1u { output[i + 1u] = Elem(v.y); }
  if live > 2u { output[i + 2u] = Elem(v.z); }
  if live > 3u { output[i + 3u] = Elem(v.w); }
}
