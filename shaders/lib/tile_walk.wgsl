// How one invocation computes a tile of C (tile_rows, tile_columns) straight from storage, and hands it to the epilogue.
// Ports: row_block(at, i) (the kernel)   block_b (layout_b)   rows_of_tile, add_tile, sums_of_tile (tile_rows)
//        strip_of_b (tile_columns)   finish_row, rows_from (gemm_finish)

struct RowAt { rows: array<Rows, ROW_BLOCKS>, start: u32, k4: u32 }
struct ColumnAt { start: u32, k4: u32, left: u32, last: u32 }
fn column_block(at: ColumnAt, i: u32) -> Block { return block_b(at.start, at.k4, min(at.left + i, at.last)); }

// The vec4 column of C that is the last.
fn last_column() -> u32 { return (params.n + 3u) / 4u - 1u; }

// The tile whose first row is `row`, and whose first vec4 column is `left`; columns past the last are computed as the last.
fn tile_at(row: u32, left: u32, batch: u32) -> Tile {
  let a_start = batch * params.a_batch;
  var b_start = batch * params.b_batch;
  var tile = Tile();
  for (var tap = 0u; tap < params.taps; tap++) {
    let rows = rows_of_tile(row, tap);
    for (var k4 = 0u; DEPTH * k4 < params.k; k4++) {
      tile = add_tile(tile, RowAt(rows, a_start, k4), strip_of_b(ColumnAt(b_start, k4, left, last_column())));
    }
    b_start += tap_of_b();
  }
  return tile;
}

fn finish_tile(row: u32, left: u32, batch: u32, tile: Tile) {
  var sums = sums_of_tile(tile);
  let count = COLUMN_BLOCKS * rows_from(row, 4u * ROW_BLOCKS);
  const STRIP = 4u * COLUMN_BLOCKS;
  for (var i = 0u; i < count; i++) {
    finish_row(row + i / COLUMN_BLOCKS, left + i % COLUMN_BLOCKS, batch, sums[i / STRIP][i % STRIP]);
  }
}
