// gemm_matrix: C[M,N] = epilogue(Σ_tap A_tap[M,K] · B_tap[K,N]), for each of a batch of them, by subgroup matrices
//
// Experimental: it is taken only where a self-check proved it. Operands are float16 and sums float32, or int8 and int32. A workgroup
// computes a tile of C. Round by round, STEPS·STEP elements along K of the rows of A and of the columns of B that it needs pass through
// workgroup memory as they lie in storage, zeros past the last. A subgroup multiplies a block of ROWS × COLUMNS matrices. The sums go
// through workgroup memory, a row of matrices of each block at a time, to the invocations that finish them.
//
// ports   Params, rows_of_a (operand_a)   Sum4, tap_of_b (operand_b, integer)   finish_row (epilogue)   STEP, step_of_a (matrix_step)
//         bring_b (matrix_b)   none, multiply, leave (matrix)
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
