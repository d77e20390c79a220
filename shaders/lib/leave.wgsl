// leave: what a workgroup of attention_workgroup has of a line, four elements of the head from `d` on. `start`: where the
// line begins in the output.

//# output
fn leave(line: u32, start: u32, part: u32, d: u32, sum: vec4f, top: f32, total: f32) {
  store((start + d) / OUT_UNIT, over(sum, total), params.head_size - d);
}

//# partial
// [line][part][1 + HEAD4]: its highest score and the total of its weights, then its sums.
@group(0) @binding(3) var<storage, read_write> partial: array<vec4f>;
fn leave(line: u32, start: u32, part: u32, d: u32, sum: vec4f, top: f32, total: f32) {
  let at = (line * SPLIT + part) * (1u + HEAD4);
  if d == 0u { partial[at] = vec4f(top, total, 0.0, 0.0); }
  partial[at + 1u + d / 4u] = sum;
}
