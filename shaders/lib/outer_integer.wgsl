// outer.wgsl for int8 that lie four to a word: sums are i32, and exact. A block is four rows of A, or four columns of B, with
// sixteen elements along K each.
// ports   dots, word_dots (dot_integer)
alias Pair = vec2u;
alias Quad = vec4u;
alias Block = array<vec4u, 4>;
alias Sum4 = vec4i;
alias Sums = array<vec4i, 4>;
const DEPTH = 16u;
fn inside_or_zero(x: Quad, inside: u32) -> Quad { return x & vec4u(inside); }
fn outer(acc: Sums, a: Block, b: Block) -> Sums {
  return Sums(row_times(acc[0], a[0], b), row_times(acc[1], a[1], b), row_times(acc[2], a[2], b), row_times(acc[3], a[3], b));
}

fn row_times(acc: vec4i, a: vec4u, b: Block) -> vec4i { return acc + dots(a, b); }

fn of_columns(acc: vec4i, a: vec2u, b: vec4u, c: vec4u) -> vec4i {
  return acc + word_dots(a.x, vec4u(b.xz, c.xz)) + word_dots(a.y, vec4u(b.yw, c.yw));
}
fn scaled_quad(v: vec4u, k4: u32, at: u32) -> vec4u { return v; } // scales are those of whole columns
