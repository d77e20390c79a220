// Where sums leave a matrix product for the epilogue. Rows and columns past the last were computed from the last, so they are
// written again to where the last is: no branch, which with 64 epilogues a kernel decides over seconds of compilation.

fn finish_row(row: u32, n4: u32, batch: u32, v: vec4f) {
  let column4 = min(n4, (params.n - 1u) / 4u);
  let column = column4 * (4u / OUT_UNIT);
  let at = batch * params.c_batch + min(row, params.m - 1u) * params.ldc + column;
  finish(v, at, batch * params.column_batch + column, params.n - 4u * column4);
}

fn finish_block(row: u32, n4: u32, batch: u32, c: mat4x4f) {
  finish_row(row, n4, batch, c[0]);
  finish_row(row + 1u, n4, batch, c[1]);
  finish_row(row + 2u, n4, batch, c[2]);
  finish_row(row + 3u, n4, batch, c[3]);
}
