// Four columns of one row of a matrix product, from column 4*n4: to the epilogue, where they exist.
fn finish_row(row: u32, n4: u32, batch: u32, v: vec4f) {
  if row < params.m && 4u * n4 < params.n {
    let column = n4 * (4u / OUT_UNIT);
    finish(v, batch * params.c_batch + row * params.ldc + column, batch * params.column_batch + column, params.n - 4u * n4);
  }
}
