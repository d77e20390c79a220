// store: four consecutive elements of the output. `i` counts OUT_UNIT elements. Only the first `live` of the four are written.

//# vec4
const OUT_UNIT = 4u;
@group(0) @binding(3) var<storage, read_write> output: array<Elem4>;
fn store(i: u32, v: vec4f, live: u32) { output[i] = Elem4(v); }

//# ragged
const OUT_UNIT = 1u;
@group(0) @binding(3) var<storage, read_write> output: array<Elem>;
// No branch: elements beyond the live ones write the last live one again.
fn store(i: u32, v: vec4f, live: u32) {
  let last = live - 1u;
  let y = select(v.x, v.y, last > 0u);
  let z = select(y, v.z, last > 1u);
  output[i] = Elem(v.x);
  output[i + min(last, 1u)] = Elem(y);
  output[i + min(last, 2u)] = Elem(z);
  output[i + min(last, 3u)] = Elem(select(z, v.w, last > 2u));
}
