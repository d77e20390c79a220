// How a workgroup of gemm_matrix brings its part of B into tile: STEPS from element `k` of K on of BN columns, from column `left` on.
// Past the last column of B is the last one: its sums are not stored.
// ports   Params (operand_a)   b_at (operand_b)   halves, step_of_b (matrix_step)

//# kn
// B is [K,N]: an invocation turns four columns of a step.
fn bring_b(lane: u32, start: u32, k: u32, left: u32) {
  for (var turn = 0u; turn < (STEPS * BN / 4u + LANES - 1u) / LANES; turn++) {
    let i = turn * LANES + lane;
    if i >= STEPS * BN / 4u { break; }
    let column4 = i % (BN / 4u);
    let step = i / (BN / 4u);
    let n4 = min(left / 4u + column4, (params.n - 1u) / 4u);
    let live = params.n - 4u * n4;
    let row = k + step * STEP;
    var at = start + row * params.ldb + n4 * (4u / B_UNIT);
    var rows: array<vec4h, STEP>;
    for (var r = 0u; r < STEP; r++) {
      rows[r] = select(vec4h(), vec4h(b_at(at, live)), row + r < params.k);
      at += params.ldb;
    }
    for (var c = 0u; c < 4u; c++) {
      tile[(BM + 4u * column4) / SIDE][(4u * column4 % SIDE + c) * STRIDE + step] = halves(
        vec4h(rows[0][c], rows[1][c], rows[2][c], rows[3][c]), vec4h(rows[4][c], rows[5][c], rows[6][c], rows[7][c]));
    }
  }
}
//# nk
fn bring_b(lane: u32, start: u32, k: u32, left: u32) {
  for (var turn = 0u; turn < STEPS * BN / LANES; turn++) {
    let i = turn * LANES + lane;
    let column = i / STEPS;
    let at = start + min(left + column, params.n - 1u) * params.ldb;
    tile[(BM + column) / SIDE][column % SIDE * STRIDE + i % STEPS] = step_of_b(at, k + i % STEPS * STEP);
  }
}
