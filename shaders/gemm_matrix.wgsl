// gemm_matrix: C[M,N] = epilogue(Σ_tap A_tap[M,K] · B_tap[K,N]), for each of a batch of them, by subgroup matrices
//
// Experimental: it is taken only where a self-check proved it. Operands are float16 and sums float32, or int8 and int32. A workgroup
// computes a tile of C. Round by round, STEPS·STEP elements along K of the rows of A and of the columns of B that it needs pass through
// workgroup memory as they lie in storage, zeros past the last. A subgroup multiplies a block of ROWS × COLUMNS matrices. The sums go
// through workgroup memory, a row of matrices of each block at a time, to the invocations that finish them.
//
// ports   Params, rows_of_a (operand_a)   Sum4, tap_of_b (operand_b, integer)   finish_row (epilogue)   a_at (operand_a, integer)
//         b_at (operand_b, integer)
// consts  LANES   MATRIX_M MATRIX_N MATRIX_K   ROWS COLUMNS of a block   BLOCKS_X BLOCKS_Y of a workgroup, one for each subgroup   STEPS
enable subgroups;

const BM = BLOCKS_Y * ROWS * MATRIX_M; // rows and columns of the workgroup's tile
const BN = BLOCKS_X * COLUMNS * MATRIX_N;
const BLOCKS = BLOCKS_X * BLOCKS_Y;
const MOST = 0x7fffffffu; // turns: a bound that is a constant spares counters against endless loops
const STRIDE = STEPS + 1u; // of rows: their beginnings lie in different banks
const SIDE = 16u; // a multiple of the sides of matrices
const WIDTH = COLUMNS * MATRIX_N; // of a block
const LEAVING = MATRIX_M * WIDTH / 4u; // vec4 of sums in a row of matrices

// SIDE rows of A, or columns of B, at a time; then sums, SIDE columns at a time.
var<workgroup> tile: array<array<vec4u, SIDE * STRIDE>, (BM + BN) / SIDE>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_id) block: u32) {
  var sums = none();
  for (var turn = 0u; turn < MOST; turn++) {
    let rounds = (params.k + STEPS * STEP - 1u) / (STEPS * STEP); // of a tap
    let tap = turn / rounds;
    if tap >= params.taps { break; }
    let k = (turn - tap * rounds) * (STEPS * STEP);
    for (var turn_a = 0u; turn_a < STEPS * BM / LANES; turn_a++) {
      let i = turn_a * LANES + lane;
      let row = i / STEPS;
      let rows = rows_of_a(group.y * BM + row, tap);
      let at = group.z * params.a_batch + rows.start.x;
      tile[row / SIDE][row % SIDE * STRIDE + i % STEPS] = step_of_a(at, k + i % STEPS * STEP, rows.inside.x != 0u);
    }
    bring_b(lane, group.z * params.b_batch + tap * tap_of_b(), k, group.x * BN);
    workgroupBarrier();
    if block < BLOCKS { multiply(&sums, block); } // subgroups may be smaller than the largest: then some have none
    workgroupBarrier();
  }

  for (var row = 0u; row < ROWS; row++) {
    if block < BLOCKS { leave(&sums, row, block); }
    workgroupBarrier();
    for (var turn = 0u; turn < BLOCKS * LEAVING / LANES; turn++) {
      let i = turn * LANES + lane;
      let owner = i / LEAVING;
      let down = i % LEAVING / (WIDTH / 4u);
      let along = i % (WIDTH / 4u); // in blocks of four columns
      let m = group.y * BM + (owner / BLOCKS_X * ROWS + row) * MATRIX_M + down;
      let n4 = group.x * (BN / 4u) + owner % BLOCKS_X * (WIDTH / 4u) + along;
      let sum = tile[owner * (WIDTH / SIDE) + along / (SIDE / 4u)][down * (SIDE / 4u) + along % (SIDE / 4u)];
      if m < params.m && 4u * n4 < params.n { finish_row(m, n4, group.z, bitcast<Sum4>(sum)); }
    }
    workgroupBarrier();
  }
}

// A subgroup's block of C: sums of zero, the products of a round added, and a row of matrices written into tile, SIDE columns after the others.
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

//# f16
enable f16;
enable chromium_experimental_subgroup_matrix;
alias Left = subgroup_matrix_left<f16, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<f16, MATRIX_N, MATRIX_K>;
alias Sum = subgroup_matrix_result<f32, MATRIX_N, MATRIX_M>;
const ZERO = 0f;

// A vec4u of a tile: STEP elements along K in the type of memory; zeros past the last of K, and in the padding of an image.
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
enable chromium_experimental_subgroup_matrix;
alias Left = subgroup_matrix_left<i8, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<i8, MATRIX_N, MATRIX_K>;
alias Sum = subgroup_matrix_result<i32, MATRIX_N, MATRIX_M>;
const ZERO = 0i;

// A vec4u of a tile: STEP elements along K in the type of memory; zeros past the last of K, and in the padding of an image.
const STEP = 16u;
fn step_of_a(start: u32, k: u32, inside: bool) -> vec4u {
  return select(vec4u(), a_at(start + k / A_UNIT, params.k - k), inside && k < params.k);
}
fn step_of_b(start: u32, k: u32) -> vec4u {
  return select(vec4u(), b_at(start + k / B_UNIT, params.k - k), k < params.k);
}

//# kn
// As nk, but B is [K,N]: an invocation turns four columns of a step.
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
// STEPS from element `k` of K on of BN columns of B, from column `left` on. Past the last column is the last one: its sums are not stored.
fn bring_b(lane: u32, start: u32, k: u32, left: u32) {
  for (var turn = 0u; turn < STEPS * BN / LANES; turn++) {
    let i = turn * LANES + lane;
    let column = i / STEPS;
    let at = start + min(left + column, params.n - 1u) * params.ldb;
    tile[(BM + column) / SIDE][column % SIDE * STRIDE + i % STEPS] = step_of_b(at, k + i % STEPS * STEP);
  }
}
