// Stands for the subgroup matrices of gemm_matrix.wgsl where no adapter has subgroup matrices: the same functions, without them. The
// invocations of a subgroup, four or more, share the sums of its block: each has one of so many times four columns.

//# f16
alias Sum = vec4f;
fn times(a: vec4u, b: vec4u) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < 4u; i++) { sum += dot(unpack2x16float(a[i]), unpack2x16float(b[i])); }
  return sum;
}

//# i8
alias Sum = vec4i;
fn times(a: vec4u, b: vec4u) -> i32 {
  var sum = 0i;
  for (var i = 0u; i < 4u; i++) { sum += dot(unpack4xI8(a[i]), unpack4xI8(b[i])); }
  return sum;
}

//# matrix
alias Matrices = array<Sum, ROWS * LEAVING / 4u>;

fn none() -> Matrices { return Matrices(); }

fn multiply(sums: ptr<function, Matrices>, block: u32) {
  let lane = subgroupExclusiveAdd(1u);
  let lanes = subgroupAdd(1u);
  for (var i = 0u; i < ROWS * LEAVING / lanes; i++) {
    let at = i * lanes + lane;
    let row = block / BLOCKS_X * (ROWS * MATRIX_M) + at / (WIDTH / 4u);
    let column = BM + block % BLOCKS_X * WIDTH + at % (WIDTH / 4u) * 4u;
    for (var step = 0u; step < STEPS; step++) {
      let a = tile[row / SIDE][row % SIDE * STRIDE + step];
      for (var c = 0u; c < 4u; c++) {
        (*sums)[i][c] += times(a, tile[column / SIDE][(column % SIDE + c) * STRIDE + step]);
      }
    }
  }
}

fn leave(sums: ptr<function, Matrices>, row: u32, block: u32) {
  let lane = subgroupExclusiveAdd(1u);
  let lanes = subgroupAdd(1u);
  for (var i = 0u; i < LEAVING / lanes; i++) {
    let at = i * lanes + lane;
    let column = at % (WIDTH / 4u) * 4u;
    let place = at / (WIDTH / 4u) * (SIDE / 4u) + column % SIDE / 4u;
    tile[block * (WIDTH / SIDE) + column / SIDE][place] = bitcast<vec4u>((*sums)[row * (LEAVING / lanes) + i]);
  }
}
