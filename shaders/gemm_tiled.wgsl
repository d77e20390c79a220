// gemm_tiled: C[M,N] = epilogue(Σ_tap A_tap[M,K] · B_tap[K,N]), for each of a batch of them
//
// The family for GPUs. A workgroup computes a tile of C. Round by round, DEPTH·K4 elements along K of the rows of A and of the
// columns of B that it needs pass through workgroup memory, so that storage is read once a workgroup.
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
// At a time an invocation holds a pair along K of four columns of B and of two rows of A beside its sums: few registers. The
// index along K is the same for the workgroup, and compilers see that the others are within bounds: no clamp costs a vector
// instruction. Where the output is too small to fill a GPU, SPLIT parts of the workgroup take rounds in turn, and add up their
// sums at the end.
//
// ports   Pair, Quad, Sum4, DEPTH (outer)   a_at (operand_a)   rows_of_a (rows)   bring_b, add_pair, tap_of_b (tile_b)
//         Params (gemm)   finish_row (gemm_finish)
// consts  WG_X WG_Y ROWS COLUMN_BLOCKS SPLIT   K4   blocks of DEPTH elements along K in a round

const BM = WG_Y * ROWS; // rows, and blocks of four columns, of the workgroup's tile
const BN4 = WG_X * COLUMN_BLOCKS;
const LANES = WG_X * WG_Y;
const SHARE = 2u * LANES / BM; // neighbouring invocations that bring the same two rows of A
const MOST = 0x7fffffffu; // turns: a bound that is a constant spares counters against endless loops
const PAIRS = 2u * K4; // along K, of a round
const SUMS = ROWS * COLUMN_BLOCKS;

var<workgroup> tile_a: array<array<array<array<Quad, ROWS / 2u>, WG_Y>, PAIRS>, SPLIT>; // [part][pair along K][y][two rows]
var<workgroup> tile_b: array<array<array<Quad, 2u * BN4>, PAIRS>, SPLIT>; // [part][pair along K][half, block]

// DEPTH elements of a row of A, zero in the padding of an image and past the last of K.
fn quad_of_a(start: u32, inside: u32, k4: u32) -> Quad {
  let quad = a_at(start + k4 * (DEPTH / A_UNIT), params.k - DEPTH * k4);
  return select(Quad(), quad, inside != 0u && DEPTH * k4 < params.k);
}

@compute @workgroup_size(WG_X, WG_Y, SPLIT)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let lane = local.y * WG_X + local.x;
  let part = local.z;
  var sums: array<Sum4, SUMS>; // [row][block]
  for (var turn = 0u; turn < MOST; turn++) {
    let blocks = (params.k + DEPTH - 1u) / DEPTH;
    let rounds = (blocks + SPLIT * K4 - 1u) / (SPLIT * K4); // of a tap
    let tap = turn / rounds;
    if tap >= params.taps { break; }
    let first = ((turn - tap * rounds) * SPLIT + part) * K4;

    let two = lane / SHARE; // the rows of A that this invocation brings
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
