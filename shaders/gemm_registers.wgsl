// gemm_registers: C[M,N] = epilogue(Σ_tap A_tap[M,K] · B_tap[K,N]), for each of a batch of them
//
// matmul is one tap. conv2d (NHWC, filter HWIO) is one tap per kernel position: the rows of A are output pixels, shifted by
// the tap; padding reads as zero; groups are the batch. One invocation computes a tile of C of 4×4 blocks and reads A and B
// straight from storage: no workgroup memory, no barrier. The family for software adapters, where a barrier turns each
// subgroup into a coroutine and the compiler does not unroll. The larger the tile, the fewer loads for the same work.
//
// layout  row-major; whole vec4 along K and N, or any length with the ragged ports
// sums    float32, whatever is stored
// ports   Elem4 (elem)   Params (gemm)   a_at (operand_a)   b_at (operand_b)   block_b (layout_b)   rows_of_a (rows)
//         block_a (block_a)   outer (outer)   Strip (tile_columns)   Tile (tile_rows)   finish_row, rows_from (gemm_finish)
// consts  WG_X WG_Y   invocations a workgroup

struct RowAt { rows: array<Rows, ROW_BLOCKS>, start: u32, k4: u32 }
fn row_block(at: RowAt, i: u32) -> mat4x4f { return block_a(at.rows[i], at.start, at.k4); }

struct ColumnAt { start: u32, k4: u32, left: u32, last: u32 }
fn column_block(at: ColumnAt, i: u32) -> mat4x4f { return block_b(at.start, at.k4, min(at.left + i, at.last)); }

@compute @workgroup_size(WG_X, WG_Y)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * 4u * ROW_BLOCKS;
  let n4 = (params.n + 3u) / 4u;
  let left = id.x * COLUMN_BLOCKS;
  if row >= params.m || left >= n4 { return; }
  let a_start = id.z * params.a_batch;
  var b_start = id.z * params.b_batch;

  var tile = Tile();
  for (var tap = 0u; tap < params.taps; tap++) {
    let rows = rows_of_tile(row, tap);
    for (var k4 = 0u; 4u * k4 < params.k; k4++) {
      tile = add_tile(tile, RowAt(rows, a_start, k4), strip_of_b(ColumnAt(b_start, k4, left, n4 - 1u)));
    }
    b_start += params.k * params.ldb;
  }

  var sums = sums_of_tile(tile);
  let count = COLUMN_BLOCKS * rows_from(row, 4u * ROW_BLOCKS);
  const STRIP = 4u * COLUMN_BLOCKS;
  for (var i = 0u; i < count; i++) {
    finish_row(row + i / COLUMN_BLOCKS, left + i % COLUMN_BLOCKS, id.z, sums[i / STRIP][i % STRIP]);
  }
}
