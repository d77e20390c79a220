// gemm_tiled: C[M,N] = epilogue(Σ_tap A_tap[M,K] · B_tap[K,N]), for each of a batch of them; gemm_registers says what a tap is
//
// For GPUs. A workgroup computes a tile of C. Round by round, what it needs of A and B passes through its memory: DEPTH·K4 elements along K.
//
//               tile_b   PAIRS high
//              ┌────┬────┬────┬────┐
//    tile_a    │ x0 │ x1 │ x0 │ x1 │     WG_X = 2 invocations beside one another, COLUMN_BLOCKS = 2:
//  PAIRS wide  └────┴────┴────┴────┘     a block is four columns
//   ┌──────┐   ┌────┬────┬────┬────┐
//   │  y0  │   │ C  │    │ C  │    │     the sums marked C belong to invocation (0, 0)
//   │  y0  │   │ C  │    │ C  │    │
//   │  y1  │   │    │    │    │    │     WG_Y = 2 invocations below one another, ROWS = 2 rows each
//   │  y1  │   │    │    │    │    │
//   └──────┘   └────┴────┴────┴────┘
//
// Beside its sums an invocation holds a pair along K of four columns of B and of two rows of A: few registers. Compilers see that indices are
// within bounds: no clamp costs an instruction. Where C is too small to fill a GPU, SPLIT parts of the workgroup take rounds in turn.
//
// ports   Quad, Sum4, tap_of_b, add_pair, scaled_quad, b_at (integer, operand_b)   a_at (integer, operand_a)   Params, rows_of_a (operand_a)
//         finish_row (epilogue)
// consts  WG_X WG_Y ROWS COLUMN_BLOCKS SPLIT   K4   blocks of DEPTH elements along K in a round

const BM = WG_Y * ROWS; // rows of the workgroup's tile
const BN4 = WG_X * COLUMN_BLOCKS; // blocks of four columns of it
const LANES = WG_X * WG_Y;
const PAIRS = 2u * K4; // along K, of a round
const SUMS = ROWS * COLUMN_BLOCKS;

var<workgroup> tile_a: array<array<array<array<Quad, ROWS / 2u>, WG_Y>, PAIRS>, SPLIT>; // [part][pair along K][y][two rows]
var<workgroup> tile_b: array<array<array<Quad, 2u * BN4>, PAIRS>, SPLIT>; // [part][pair along K][half, block]

fn quad_of_a(start: u32, inside: u32, k4: u32) -> Quad { // zero in the padding of an image and past the last of K
  return select(Quad(), a_at(start + k4 * (DEPTH / A_UNIT), params.k - DEPTH * k4), inside != 0u && DEPTH * k4 < params.k);
}

@compute @workgroup_size(WG_X, WG_Y, SPLIT)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let lane = local.y * WG_X + local.x;
  let part = local.z;
  var sums: array<Sum4, SUMS>; // [row][block]
  for (var turn = 0u; turn < 0x7fffffffu; turn++) { // a bound that is a constant spares counters against endless loops
    let rounds = (params.k + DEPTH * SPLIT * K4 - 1u) / (DEPTH * SPLIT * K4); // of a tap
    let tap = turn / rounds;
    if tap >= params.taps { break; }
    let first = ((turn - tap * rounds) * SPLIT + part) * K4;
    const SHARE = 2u * LANES / BM; // neighbouring invocations that bring the same two rows of A
    let two = lane / SHARE;
    let rows = rows_of_a(group.y * BM + 2u * two, tap);
    for (var i = 0u; i < K4 / SHARE; i++) {
      let k4 = i * SHARE + lane % SHARE;
      let p = quad_of_a(group.z * params.a_batch + rows.start.x, rows.inside.x, first + k4);
      let q = quad_of_a(group.z * params.a_batch + rows.start.y, rows.inside.y, first + k4);
      tile_a[part][2u * k4][two / (ROWS / 2u)][two % (ROWS / 2u)] = Quad(p.xy, q.xy);
      tile_a[part][2u * k4 + 1u][two / (ROWS / 2u)][two % (ROWS / 2u)] = Quad(p.zw, q.zw);
    }
    bring_b(part, lane, group.z * params.b_batch + tap * tap_of_b(), first, group.x * BN4);
    workgroupBarrier();
    for (var i = 0u; i < PAIRS; i++) {
      let pair = min(i, PAIRS - 1u); // tells compilers its range: addresses need no further instructions
      for (var column = 0u; column < COLUMN_BLOCKS; column++) {
        let b = tile_b[part][pair][local.x + column * WG_X];
        let c = tile_b[part][pair][local.x + column * WG_X + BN4];
        for (var row = 0u; row < ROWS; row += 2u) {
          let a = tile_a[part][pair][local.y][row / 2u];
          let above = row * COLUMN_BLOCKS + column;
          let below = above + COLUMN_BLOCKS;
          sums[above] = add_pair(sums[above], a.xy, b, c);
          sums[below] = add_pair(sums[below], a.zw, b, c);
        }
      }
    }
    workgroupBarrier();
  }

  // The other parts leave their sums where tiles of B were, one part and one sum after the other.
  for (var other = 1u; other < SPLIT; other++) {
    for (var i = 0u; i < SUMS; i++) {
      if part == other { tile_b[0][lane / (2u * BN4)][lane % (2u * BN4)] = bitcast<Quad>(sums[i]); }
      workgroupBarrier();
      if part == 0u { sums[i] += bitcast<Sum4>(tile_b[0][lane / (2u * BN4)][lane % (2u * BN4)]); }
      workgroupBarrier();
    }
  }
  if part > 0u { return; }
  for (var i = 0u; i < SUMS; i++) {
    let row = group.y * BM + local.y * ROWS + i / COLUMN_BLOCKS;
    if row < params.m { finish_row(row, group.x * BN4 + i % COLUMN_BLOCKS * WG_X + local.x, group.z, sums[i]); }
  }
}

//# kn
// B is [K,N]: a half is four columns of one row of the pair.
fn bring_b(part: u32, lane: u32, start: u32, first: u32, left: u32) {
  let n4 = min(left + lane % BN4, (params.n - 1u) / 4u);
  for (var r = lane / BN4; r < 4u * K4; r += LANES / BN4) {
    let k = 4u * first + r;
    var quad = Quad();
    if k < params.k { quad = scaled_quad(b_at(start + k * params.ldb + n4 * (4u / B_UNIT), params.n - 4u * n4), k / 4u, n4); }
    tile_b[part][r / 2u][r % 2u * BN4 + lane % BN4] = quad;
  }
}

//# nk
// B is [N,K]: a half is the pair of two columns. Neighbouring invocations share two columns.
const SHARE_B = max(1u, LANES / (2u * BN4));
fn bring_b(part: u32, lane: u32, start: u32, first: u32, left: u32) {
  for (var twos = 0u; twos < 2u * BN4 * SHARE_B / LANES; twos++) {
    let two = twos * (LANES / SHARE_B) + lane / SHARE_B;
    let block = min(left + two / 2u, (params.n - 1u) / 4u);
    let column = min(4u * block + 2u * (two % 2u), params.n - 1u);
    let next = min(column + 1u, params.n - 1u);
    for (var turn = 0u; turn < K4 / SHARE_B; turn++) {
      let k4 = turn * SHARE_B + lane % SHARE_B;
      let at = first + k4;
      let live = params.k - DEPTH * at;
      let inside = DEPTH * at < params.k;
      let p = select(Quad(), scaled_quad(b_at(start + column * params.ldb + at * (DEPTH / B_UNIT), live), at, column), inside);
      let q = select(Quad(), scaled_quad(b_at(start + next * params.ldb + at * (DEPTH / B_UNIT), live), at, next), inside);
      tile_b[part][2u * k4][two % 2u * BN4 + two / 2u] = Quad(p.xy, q.xy);
      tile_b[part][2u * k4 + 1u][two % 2u * BN4 + two / 2u] = Quad(p.zw, q.zw);
    }
  }
}
