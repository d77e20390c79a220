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
//         block_a (block_a)   outer (outer)   Strip (tile_columns)   Tile (tile_rows)   tile_at, finish_tile (tile_walk)
//         finish_row, rows_from (gemm_finish)
// consts  WG_X WG_Y   invocations a workgroup

fn row_block(at: RowAt, i: u32) -> Block { return block_a(at.rows[i], at.start, at.k4); }

@compute @workgroup_size(WG_X, WG_Y)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * 4u * ROW_BLOCKS;
  let left = id.x * COLUMN_BLOCKS;
  if row >= params.m || left > last_column() { return; }
  finish_tile(row, left, id.z, tile_at(row, left, id.z));
}
