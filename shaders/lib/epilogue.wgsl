// finish: four sums become four outputs: apply(sum * scale + bias + residual), stored.
// `at` is their place in the output, `column` their column, both in units of OUT_UNIT. `live` of the four exist.
// ports   scale_of (scale)   add_bias (bias)   add_residual (residual)   apply (unary)   store (store)
alias Value = f32;

fn finish(v: vec4f, at: u32, column: u32, live: u32) {
  store(at, apply(add_residual(add_bias(v * scale_of(column), column), at)), live);
}
