// The elements of a head that an invocation of attention_subgroups sums: QUADS times four, from element d on.
// ports   PerQuery, Scores, Quad, scale_quad, store_quad (query_rows)   add_four (attention_subgroups)

//# 1
const QUADS = 1u;
alias Sums = Quad;
fn scale_all(sums: Sums, shrink: PerQuery) -> Sums { return scale_quad(sums, shrink); }
fn add_all(sums: Sums, weights: Scores, starts: vec4u, d: u32, all: bool) -> Sums {
  return add_four(sums, weights, starts, d, all);
}
fn store_all(sums: Sums, totals: PerQuery, first: u32, start: u32, d: u32) { store_quad(sums, totals, first, start, d); }

//# 2
const QUADS = 2u;
struct Sums { a: Quad, b: Quad }
fn scale_all(sums: Sums, shrink: PerQuery) -> Sums { return Sums(scale_quad(sums.a, shrink), scale_quad(sums.b, shrink)); }
fn add_all(sums: Sums, weights: Scores, starts: vec4u, d: u32, all: bool) -> Sums {
  return Sums(add_four(sums.a, weights, starts, d, all), add_four(sums.b, weights, starts, d + 4u, all));
}
fn store_all(sums: Sums, totals: PerQuery, first: u32, start: u32, d: u32) {
  store_quad(sums.a, totals, first, start, d);
  store_quad(sums.b, totals, first, start, d + 4u);
}

//# 4
const QUADS = 4u;
struct Sums { a: Quad, b: Quad, c: Quad, d: Quad }
fn scale_all(sums: Sums, shrink: PerQuery) -> Sums {
  return Sums(scale_quad(sums.a, shrink), scale_quad(sums.b, shrink), scale_quad(sums.c, shrink), scale_quad(sums.d, shrink));
}
fn add_all(sums: Sums, weights: Scores, starts: vec4u, d: u32, all: bool) -> Sums {
  return Sums(
    add_four(sums.a, weights, starts, d, all),
    add_four(sums.b, weights, starts, d + 4u, all),
    add_four(sums.c, weights, starts, d + 8u, all),
    add_four(sums.d, weights, starts, d + 12u, all),
  );
}
fn store_all(sums: Sums, totals: PerQuery, first: u32, start: u32, d: u32) {
  store_quad(sums.a, totals, first, start, d);
  store_quad(sums.b, totals, first, start, d + 4u);
  store_quad(sums.c, totals, first, start, d + 8u);
  store_quad(sums.d, totals, first, start, d + 12u);
}
