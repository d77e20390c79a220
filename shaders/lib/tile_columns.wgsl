// How wide an invocation's tile of C is: a strip is 4 rows of it, a 4×4 block of C beside the other.
// Ports: column_block(at, i), block i of B (the kernel); outer, Block, Sums, Sum4 (outer)
// A Strip holds sums, Across the blocks of B above them.

//# columns4
const COLUMN_BLOCKS = 1u;
struct Strip { p: Sums }
struct Across { p: Block }
fn strip_of_b(at: ColumnAt) -> Across { return Across(column_block(at, 0u)); }
fn add_product(c: Strip, a: Block, b: Across) -> Strip { return Strip(outer(c.p, a, b.p)); }
fn sums_of(c: Strip) -> array<Sum4, 4> { return array<Sum4, 4>(c.p[0], c.p[1], c.p[2], c.p[3]); }

//# columns8
const COLUMN_BLOCKS = 2u;
struct Strip { p: Sums, q: Sums }
struct Across { p: Block, q: Block }
fn strip_of_b(at: ColumnAt) -> Across { return Across(column_block(at, 0u), column_block(at, 1u)); }
fn add_product(c: Strip, a: Block, b: Across) -> Strip { return Strip(outer(c.p, a, b.p), outer(c.q, a, b.q)); }
fn sums_of(c: Strip) -> array<Sum4, 8> { return array<Sum4, 8>(c.p[0], c.q[0], c.p[1], c.q[1], c.p[2], c.q[2], c.p[3], c.q[3]); }

//# columns16
const COLUMN_BLOCKS = 4u;
struct Strip { p: Sums, q: Sums, r: Sums, s: Sums }
struct Across { p: Block, q: Block, r: Block, s: Block }
fn strip_of_b(at: ColumnAt) -> Across {
  return Across(column_block(at, 0u), column_block(at, 1u), column_block(at, 2u), column_block(at, 3u));
}
fn add_product(c: Strip, a: Block, b: Across) -> Strip {
  return Strip(outer(c.p, a, b.p), outer(c.q, a, b.q), outer(c.r, a, b.r), outer(c.s, a, b.s));
}
fn sums_of(c: Strip) -> array<Sum4, 16> {
  return array<Sum4, 16>(
    c.p[0], c.q[0], c.r[0], c.s[0], c.p[1], c.q[1], c.r[1], c.s[1],
    c.p[2], c.q[2], c.r[2], c.s[2], c.p[3], c.q[3], c.r[3], c.s[3],
  );
}
