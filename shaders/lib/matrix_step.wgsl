// What a vec4u of a tile of gemm_matrix holds: STEP elements along K of a row of A or of a column of B, in the type of memory; zeros
// past the last of K, and in the padding of an image.
// ports   Params (operand_a)   a_at (operand_a, integer)   b_at (operand_b, integer)

//# f16
const STEP = 8u;
fn halves(low: vec4h, high: vec4h) -> vec4u { return vec4u(bitcast<vec2u>(low), bitcast<vec2u>(high)); }
fn within(v: vec4u, k: u32, inside: bool) -> vec4u {
  return select(vec4u(), v, vec4<bool>(inside) & (vec4u(k, k, k + 4u, k + 4u) < vec4u(params.k)));
}
fn step_of_a(start: u32, k: u32, inside: bool) -> vec4u {
  let at = start + k / A_UNIT;
  return within(halves(vec4h(a_at(at, params.k - k)), vec4h(a_at(at + 4u / A_UNIT, params.k - min(k + 4u, params.k)))), k, inside);
}
fn step_of_b(start: u32, k: u32) -> vec4u {
  let at = start + k / B_UNIT;
  return within(halves(vec4h(b_at(at, params.k - k)), vec4h(b_at(at + 4u / B_UNIT, params.k - min(k + 4u, params.k)))), k, true);
}

//# i8
const STEP = 16u;
fn step_of_a(start: u32, k: u32, inside: bool) -> vec4u {
  return select(vec4u(), a_at(start + k / A_UNIT, params.k - k), inside && k < params.k);
}
fn step_of_b(start: u32, k: u32) -> vec4u {
  return select(vec4u(), b_at(start + k / B_UNIT, params.k - k), k < params.k);
}
