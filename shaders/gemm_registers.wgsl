// gemm_registers: C[M,N] = epilogue(Σ_tap A_tap[M,K] · B_tap[K,N]), for each of a batch of them
// matmul is one tap. conv2d (NHWC, filter HWIO) is one tap per kernel position: the rows of A are output pixels, shifted by the tap; padding
// reads as zero; groups are the batch. For software adapters, where a barrier is a coroutine: A and B are read straight from storage.
//
//               of B   ┌───┬───┐┌───┬───┐
//                      └───┴───┘└───┴───┘    blocks are 4×4; COLUMN_BLOCKS = 2 beside one another are a
//   of A  ┌───┐        ┌───┬───┐┌───┬───┐    strip, ROW_BLOCKS = 2 strips below one another a tile of C
//         ├───┤        │ C │ C ││   │   │
//         └───┘        ├───┼───┤├───┼───┤    the blocks C are the tile of invocation (0, 0), those beside
//                      │ C │ C ││   │   │    them the tile of (1, 0)
//                      └───┴───┘└───┴───┘
//
// ports   Rows, Params, rows_of_a (operand_a)   Quad, Block, block_b, tap_of_b, inside_or_zero, Sums, outer (integer, operand_b)
//         finish_row (epilogue)   a_at (integer, operand_a)
// consts  WG_X WG_Y (alone)   LANES, SHARED (4 or 8) (subgroups)

struct RowsAt { rows: array<Rows, ROW_BLOCKS>, start: u32, k4: u32 }
fn column_block(start: u32, k4: u32, n4: u32) -> Block { return block_b(start, k4, min(n4, (params.n - 1u) / 4u)); }

// From row `row` (subgroups: the one that is read here) and block `left` of columns on. Columns past the last are computed as the last.
fn tile_at(row: u32, left: u32, batch: u32) -> Tile {
  let a_start = batch * params.a_batch;
  var b_start = batch * params.b_batch;
  var tile = Tile();
  for (var tap = 0u; tap < params.taps; tap++) {
    let rows = rows_of_tile(row, tap);
    for (var k4 = 0u; DEPTH * k4 < params.k; k4++) { tile = add_tile(tile, RowsAt(rows, a_start, k4), across(b_start, k4, left)); }
    b_start += tap_of_b();
  }
  return tile;
}

fn finish_tile(row: u32, left: u32, batch: u32, tile: Tile) {
  var sums = sums_of_tile(tile); // [strip][block][row]
  let rows = min(4u * ROW_BLOCKS, params.m - min(row, params.m));
  for (var i = 0u; i < COLUMN_BLOCKS * rows; i++) {
    let below = i / COLUMN_BLOCKS;
    let beside = i % COLUMN_BLOCKS;
    finish_row(row + below, left + beside, batch, sums[below / 4u][beside][below % 4u]);
  }
}

//# alone
fn row_block(at: RowsAt, i: u32) -> Block {
  let rows = at.rows[i];
  let start = rows.start + at.start + at.k4 * (DEPTH / A_UNIT);
  let live = params.k - DEPTH * at.k4;
  return Block(
    inside_or_zero(a_at(start.x, live), rows.inside.x), inside_or_zero(a_at(start.y, live), rows.inside.y),
    inside_or_zero(a_at(start.z, live), rows.inside.z), inside_or_zero(a_at(start.w, live), rows.inside.w),
  );
}

@compute @workgroup_size(WG_X, WG_Y)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * 4u * ROW_BLOCKS;
  let left = id.x * COLUMN_BLOCKS;
  if row >= params.m || left > (params.n - 1u) / 4u { return; }
  finish_tile(row, left, id.z, tile_at(row, left, id.z));
}

//# subgroups
enable subgroups;

// Tiles side by side want the same rows of A: of SHARED rows an invocation reads one, `at`, and is told the others by its subgroup.
var<private> kept: Quad; // of the row that this invocation reads

fn row_block(at: RowsAt, i: u32) -> Block {
  if i % (SHARED / 4u) == 0u {
    kept = inside_or_zero(a_at(at.rows[i].start.x + at.start + at.k4 * (DEPTH / A_UNIT), params.k - DEPTH * at.k4), at.rows[i].inside.x);
    return Block(subgroupBroadcast(kept, 0u), subgroupBroadcast(kept, 1u), subgroupBroadcast(kept, 2u), subgroupBroadcast(kept, 3u));
  }
  return Block(subgroupBroadcast(kept, 4u), subgroupBroadcast(kept, 5u), subgroupBroadcast(kept, 6u), subgroupBroadcast(kept, 7u));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) id: u32) {
  let row = group.y * 4u * ROW_BLOCKS;
  let left = (group.x * LANES + lane) * COLUMN_BLOCKS;
  let tile = tile_at(row + id % SHARED, left, group.z); // also past the last column: for the rows that it reads
  if left <= (params.n - 1u) / 4u { finish_tile(row, left, group.z, tile); }
}

//# columns4
const COLUMN_BLOCKS = 1u;
struct Strip { first: Sums } // of four rows of C
struct Across { first: Block } // of B, above a strip
fn across(start: u32, k4: u32, left: u32) -> Across { return Across(column_block(start, k4, left)); }
fn add_strip(strip: Strip, a: Block, b: Across) -> Strip { return Strip(outer(strip.first, a, b.first)); }
fn sums_of(strip: Strip) -> array<Sums, 1> { return array<Sums, 1>(strip.first); }

//# columns8
const COLUMN_BLOCKS = 2u;
struct Strip { first: Sums, second: Sums } // of four rows of C
struct Across { first: Block, second: Block } // of B, above a strip
fn across(start: u32, k4: u32, left: u32) -> Across {
  return Across(column_block(start, k4, left), column_block(start, k4, left + 1u));
}
fn add_strip(strip: Strip, a: Block, b: Across) -> Strip {
  return Strip(outer(strip.first, a, b.first), outer(strip.second, a, b.second));
}
fn sums_of(strip: Strip) -> array<Sums, 2> { return array<Sums, 2>(strip.first, strip.second); }

//# columns16
const COLUMN_BLOCKS = 4u;
struct Strip { first: Sums, second: Sums, third: Sums, fourth: Sums } // of four rows of C
struct Across { first: Block, second: Block, third: Block, fourth: Block } // of B, above a strip
fn across(start: u32, k4: u32, left: u32) -> Across {
  return Across(column_block(start, k4, left), column_block(start, k4, left + 1u),
    column_block(start, k4, left + 2u), column_block(start, k4, left + 3u));
}
fn add_strip(strip: Strip, a: Block, b: Across) -> Strip {
  return Strip(outer(strip.first, a, b.first), outer(strip.second, a, b.second),
    outer(strip.third, a, b.third), outer(strip.fourth, a, b.fourth));
}
fn sums_of(strip: Strip) -> array<Sums, 4> { return array<Sums, 4>(strip.first, strip.second, strip.third, strip.fourth); }

//# rows4
const ROW_BLOCKS = 1u;
struct Tile { first: Strip }
fn rows_of_tile(row: u32, tap: u32) -> array<Rows, 1> { return array(rows_of_a(row, tap)); }
fn add_tile(tile: Tile, at: RowsAt, b: Across) -> Tile { return Tile(add_strip(tile.first, row_block(at, 0u), b)); }
fn sums_of_tile(tile: Tile) -> array<array<Sums, COLUMN_BLOCKS>, 1> { return array(sums_of(tile.first)); }

//# rows8
const ROW_BLOCKS = 2u;
struct Tile { first: Strip, second: Strip }
fn rows_of_tile(row: u32, tap: u32) -> array<Rows, 2> { return array(rows_of_a(row, tap), rows_of_a(row + 4u, tap)); }
fn add_tile(tile: Tile, at: RowsAt, b: Across) -> Tile {
  return Tile(add_strip(tile.first, row_block(at, 0u), b), add_strip(tile.second, row_block(at, 1u), b));
}
fn sums_of_tile(tile: Tile) -> array<array<Sums, COLUMN_BLOCKS>, 2> { return array(sums_of(tile.first), sums_of(tile.second)); }

//# rows16
const ROW_BLOCKS = 4u;
struct Tile { first: Strip, second: Strip, third: Strip, fourth: Strip }
fn rows_of_tile(row: u32, tap: u32) -> array<Rows, 4> {
  return array(rows_of_a(row, tap), rows_of_a(row + 4u, tap), rows_of_a(row + 8u, tap), rows_of_a(row + 12u, tap));
}
fn add_tile(tile: Tile, at: RowsAt, b: Across) -> Tile {
  return Tile(add_strip(tile.first, row_block(at, 0u), b), add_strip(tile.second, row_block(at, 1u), b),
    add_strip(tile.third, row_block(at, 2u), b), add_strip(tile.fourth, row_block(at, 3u), b));
}
fn sums_of_tile(tile: Tile) -> array<array<Sums, COLUMN_BLOCKS>, 4> {
  return array(sums_of(tile.first), sums_of(tile.second), sums_of(tile.third), sums_of(tile.fourth));
}
