// error_function: Abramowitz & Stegun 7.1.26 (absolute error 1.5e-7); near zero its Taylor series, which keeps the relative error.
fn error_function(x: vec4f) -> vec4f {
  let a = abs(x);
  let t = 1.0 / (1.0 + 0.3275911 * a);
  let tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  let far = sign(x) * (1.0 - tail * exp(-a * a));
  let square = x * x;
  let near = x * (1.1283791671 + square * (-0.3761263890 + square * (0.1128379167 + square * (-0.0268661706 + square * 0.0052239776))));
  return select(far, near, a < vec4f(0.4));
}
