// over_row: a sum over a row of A, which is normalised (Zhang & Sennrich 2019): a_at has the learned scale, and the root mean square is a
// factor of the whole sum; as it is where the row is not normalised. All invocations of a line come to row_factor.
// ports   reduce_sum (reducer)   row_at (operand_a)   Params (operand_a)   Sum4 (integer, operand_b)
// consts  EPSILON   LANES

//# none
fn row_factor(lane: u32, line: u32) -> f32 { return 1.0; }
fn over_row(sum: Sum4, factor: f32) -> Sum4 { return sum; }

//# rms
fn row_factor(lane: u32, line: u32) -> f32 {
  var squares = vec4f();
  for (var k = 4u * lane; k < params.k; k += 4u * LANES) {
    let x = row_at(k / A_UNIT, params.k - k);
    squares += x * x;
  }
  return 1.0 / sqrt(dot(reduce_sum(squares, lane, line), vec4f(1.0)) / f32(params.k) + EPSILON);
}
fn over_row(sum: Sum4, factor: f32) -> Sum4 { return sum * factor; }
