// finish: sums of four columns become four outputs: scaled, biased, added to the residual, activated, stored.
// `at` is where they go and `column` which columns they are, both in units of OUT_UNIT; `live` of them exist.
// ports   scale_of (scale)   add_bias (bias)   add_residual (residual)   apply (unary)   store (store)
alias Value = f32;

fn finish(v: vec4f, at: u32, column: u32, live: u32) {
  store(at, apply(add_residual(add_bias(v * scale_of(column), column), at)), live);
}
