// Where sums leave a matrix product for the epilogue. A kernel hands them over one by one in a loop: inlined once a sum, 16 or 64
// times, the epilogue took llvmpipe 18 s to compile and SwiftShader 5, in a loop 5 and 2. Columns past the last were
// computed from the last and are written again to where it is, without a branch.

fn finish_row(row: u32, n4: u32, batch: u32, v: Sum4) {
  let column4 = min(n4, (params.n - 1u) / 4u);
  let column = column4 * (4u / OUT_UNIT);
  let at = batch * params.c_batch + min(row, params.m - 1u) * params.ldc + column;
  finish(of_row(v, row), at, batch * params.column_batch + column, params.n - 4u * column4);
}

// Rows of the output from `row`, `most` at the most.
fn rows_from(row: u32, most: u32) -> u32 { return min(most, params.m - min(row, params.m)); }
