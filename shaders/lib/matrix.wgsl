// What a subgroup does in gemm_matrix. Its block of C is ROWS × COLUMNS matrices.
// none()                     sums of zero
// multiply(sums, block)      adds the products of a round
// leave(sums, row, block)    writes a row of matrices into tile, SIDE columns of the block after the others, blocks one after the other
// ports   Left, Right, Sum (matrix_types)
alias Matrices = array<Sum, ROWS * COLUMNS>;

// One by one: Mesa 25.0.7 fills an array of matrices that has no initial value with numbers from elsewhere.
fn none() -> Matrices {
  var sums: Matrices;
  for (var i = 0u; i < ROWS * COLUMNS; i++) { sums[i] = Sum(ZERO); }
  return sums;
}

fn multiply(sums: ptr<function, Matrices>, block: u32) {
  let top = block / BLOCKS_X * (ROWS * MATRIX_M / SIDE);
  let left = (BM + block % BLOCKS_X * (COLUMNS * MATRIX_N)) / SIDE;
  for (var step = 0u; step < STEPS; step += MATRIX_K / STEP) {
    var b: array<Right, COLUMNS>;
    for (var column = 0u; column < COLUMNS; column++) {
      let at = column * MATRIX_N;
      b[column] = subgroupMatrixLoad<Right, col_major>(&tile[left + at / SIDE], at % SIDE * STRIDE + step, STRIDE);
    }
    for (var row = 0u; row < ROWS; row++) {
      let at = row * MATRIX_M;
      let a = subgroupMatrixLoad<Left, row_major>(&tile[top + at / SIDE], at % SIDE * STRIDE + step, STRIDE);
      for (var column = 0u; column < COLUMNS; column++) {
        let i = row * COLUMNS + column;
        (*sums)[i] = subgroupMatrixMultiplyAccumulate(a, b[column], (*sums)[i]);
      }
    }
  }
}

fn leave(sums: ptr<function, Matrices>, row: u32, block: u32) {
  for (var i = 0u; i < ROWS * COLUMNS; i++) { // all, so that the index is a constant: matrices are registers
    if i / COLUMNS == row {
      let at = i % COLUMNS * MATRIX_N;
      subgroupMatrixStore<row_major>(&tile[block * (WIDTH / SIDE) + at / SIDE], at % SIDE / 4u, (*sums)[i], SIDE / 4u);
    }
  }
}
