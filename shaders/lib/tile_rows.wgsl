// How high an invocation's tile of C is: strips (tile_columns), one below the other.
// Ports: rows_of_a (rows)   row_block(at, i), block i of A (the kernel)
// sums_of_tile: the tile's sums, strip by strip; in a strip row by row, four columns each

//# rows4
const ROW_BLOCKS = 1u;
fn rows_of_tile(row: u32, tap: u32) -> array<Rows, 1> { return array(rows_of_a(row, tap)); }
struct Tile { a: Strip }
fn add_tile(c: Tile, at: RowAt, b: Across) -> Tile { return Tile(add_product(c.a, row_block(at, 0u), b)); }
fn sums_of_tile(c: Tile) -> array<array<Sum4, 4u * COLUMN_BLOCKS>, 1> { return array(sums_of(c.a)); }

//# rows8
const ROW_BLOCKS = 2u;
fn rows_of_tile(row: u32, tap: u32) -> array<Rows, 2> { return array(rows_of_a(row, tap), rows_of_a(row + 4u, tap)); }
struct Tile { a: Strip, b: Strip }
fn add_tile(c: Tile, at: RowAt, b: Across) -> Tile {
  return Tile(add_product(c.a, row_block(at, 0u), b), add_product(c.b, row_block(at, 1u), b));
}
fn sums_of_tile(c: Tile) -> array<array<Sum4, 4u * COLUMN_BLOCKS>, 2> { return array(sums_of(c.a), sums_of(c.b)); }

//# rows16
const ROW_BLOCKS = 4u;
fn rows_of_tile(row: u32, tap: u32) -> array<Rows, 4> {
  return array(rows_of_a(row, tap), rows_of_a(row + 4u, tap), rows_of_a(row + 8u, tap), rows_of_a(row + 12u, tap));
}
struct Tile { a: Strip, b: Strip, c: Strip, d: Strip }
fn add_tile(c: Tile, at: RowAt, b: Across) -> Tile {
  return Tile(
    add_product(c.a, row_block(at, 0u), b),
    add_product(c.b, row_block(at, 1u), b),
    add_product(c.c, row_block(at, 2u), b),
    add_product(c.d, row_block(at, 3u), b),
  );
}
fn sums_of_tile(c: Tile) -> array<array<Sum4, 4u * COLUMN_BLOCKS>, 4> {
  return array(sums_of(c.a), sums_of(c.b), sums_of(c.c), sums_of(c.d));
}
