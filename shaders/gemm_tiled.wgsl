// gemm_tiled: C[M,N] = epilogue(Σ_tap A_tap[M,K] · B_tap[K,N]), for each of a batch of them
//
// The family for GPUs: a workgroup computes a tile of C that is as many of its invocations' tiles high and wide as it has
// invocations. BK4 vec4 of K at a time, the blocks of A and B that it needs pass through workgroup memory, so that storage
// is read once a workgroup. The blocks of an invocation lie a workgroup's width (height) apart: neighbours read neighbouring
// vec4 of workgroup memory, without bank conflicts. Where the output is too small to fill a GPU, SPLIT slices of the workgroup
// take every SPLITth of the depths each, and add up their sums at the end. Ports, layout and sums as in gemm_registers.
//
// consts  WG_X WG_Y   invocations of a slice      BK4   depth of a tile in vec4      SPLIT   slices

const BM4 = WG_Y * ROW_BLOCKS; // blocks of 4 rows, and of 4 columns, in the workgroup's tile
const BN4 = WG_X * COLUMN_BLOCKS;
const LANES = WG_X * WG_Y;
const STRIP = 4u * COLUMN_BLOCKS; // sums in a strip, and in a tile
const SUMS = STRIP * ROW_BLOCKS;

var<workgroup> tile_a: array<Quad, SPLIT * BK4 * 4u * BM4>; // [slice][k4][row][block]: row of a block, over k
var<workgroup> tile_b: array<Quad, SPLIT * BK4 * 4u * BN4>; // [slice][k4][k][block]: row k of a block, over n

struct RowAt { depth: u32, y: u32 }
fn row_block(at: RowAt, i: u32) -> Block {
  let start = at.depth * 4u * BM4 + at.y + i * WG_Y;
  return Block(tile_a[start], tile_a[start + BM4], tile_a[start + 2u * BM4], tile_a[start + 3u * BM4]);
}

struct ColumnAt { depth: u32, x: u32 }
fn column_block(at: ColumnAt, i: u32) -> Block {
  let start = at.depth * 4u * BN4 + at.x + i * WG_X;
  return Block(tile_b[start], tile_b[start + BN4], tile_b[start + 2u * BN4], tile_b[start + 3u * BN4]);
}

@compute @workgroup_size(WG_X, WG_Y, SPLIT)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let lane = local.y * WG_X + local.x;
  let slice = local.z * BK4; // its first depth, in workgroup memory and in each round
  let k4s = (params.k + DEPTH - 1u) / DEPTH;
  let a_start = group.z * params.a_batch;
  var b_start = group.z * params.b_batch;
  let column = min(group.x * BN4 + lane % BN4, (params.n - 1u) / 4u);

  var tile = Tile();
  for (var tap = 0u; tap < params.taps; tap++) {
    let rows = rows_of_a(4u * (group.y * BM4 + lane % BM4), tap);
    for (var round = 0u; round < k4s; round += SPLIT * BK4) {
      let first = min(round + slice, k4s);
      let depths = min(BK4, k4s - first);
      for (var depth = lane / BM4; depth < depths; depth += LANES / BM4) {
        let four = block_a(rows, a_start, first + depth);
        let to = (slice + depth) * 4u * BM4 + lane % BM4;
        tile_a[to] = four[0];
        tile_a[to + BM4] = four[1];
        tile_a[to + 2u * BM4] = four[2];
        tile_a[to + 3u * BM4] = four[3];
      }
      for (var depth = lane / BN4; depth < depths; depth += LANES / BN4) {
        let four = block_b(b_start, first + depth, column);
        let to = (slice + depth) * 4u * BN4 + lane % BN4;
        tile_b[to] = four[0];
        tile_b[to + BN4] = four[1];
        tile_b[to + 2u * BN4] = four[2];
        tile_b[to + 3u * BN4] = four[3];
      }
      workgroupBarrier();
      for (var depth = 0u; depth < depths; depth++) {
        tile = add_tile(tile, RowAt(slice + depth, local.y), strip_of_b(ColumnAt(slice + depth, local.x)));
      }
      workgroupBarrier();
    }
    b_start += tap_of_b();
  }

  var sums = sums_of_tile(tile);
  for (var other = 1u; other < SPLIT; other++) {
    for (var i = 0u; i < SUMS && local.z == other; i++) { tile_a[i * LANES + lane] = bitcast<Quad>(sums[i / STRIP][i % STRIP]); }
    workgroupBarrier();
    for (var i = 0u; i < SUMS && local.z == 0u; i++) { sums[i / STRIP][i % STRIP] += bitcast<Sum4>(tile_a[i * LANES + lane]); }
    workgroupBarrier();
  }
  for (var i = 0u; i < SUMS && local.z == 0u; i++) {
    let strip = i / STRIP;
    let in_strip = i % STRIP;
    let row = 4u * (group.y * BM4 + strip * WG_Y + local.y) + in_strip / COLUMN_BLOCKS;
    let n4 = group.x * BN4 + in_strip % COLUMN_BLOCKS * WG_X + local.x;
    if row < params.m { finish_row(row, n4, group.z, sums[strip][in_strip]); }
  }
}
