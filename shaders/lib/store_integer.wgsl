// finish: the int32 sums are the output. As store.wgsl for floats.

//# vec4
const OUT_UNIT = 4u;
@group(0) @binding(3) var<storage, read_write> output: array<vec4i>;
fn finish(v: vec4i, at: u32, column: u32, live: u32) { output[at] = v; }

//# ragged
const OUT_UNIT = 1u;
@group(0) @binding(3) var<storage, read_write> output: array<i32>;
fn finish(v: vec4i, at: u32, column: u32, live: u32) {
  let last = live - 1u;
  let y = select(v.x, v.y, last > 0u);
  let z = select(y, v.z, last > 1u);
  output[at] = v.x;
  output[at + min(last, 1u)] = y;
  output[at + min(last, 2u)] = z;
  output[at + min(last, 3u)] = select(z, v.w, last > 2u);
}
