// The elements of a head that one invocation sums: WIDTH of them, from element d on, in matrices of 16.

//# 16
const WIDTH = 16u;
alias Sums = mat4x4f;

fn add_values(sums: Sums, shrink: f32, starts: vec4u, d: u32, weights: vec4f) -> Sums {
  return add_16(sums, shrink, starts, d, weights);
}

fn store_sums(sums: Sums, total: f32, at: u32, d: u32) { store_16(sums, total, at, d); }

//# 64
const WIDTH = 64u;
struct Sums { a: mat4x4f, b: mat4x4f, c: mat4x4f, d: mat4x4f }

fn add_values(sums: Sums, shrink: f32, starts: vec4u, d: u32, weights: vec4f) -> Sums {
  return Sums(
    add_16(sums.a, shrink, starts, d, weights),
    add_16(sums.b, shrink, starts, d + 16u, weights),
    add_16(sums.c, shrink, starts, d + 32u, weights),
    add_16(sums.d, shrink, starts, d + 48u, weights),
  );
}

fn store_sums(sums: Sums, total: f32, at: u32, d: u32) {
  store_16(sums.a, total, at, d);
  store_16(sums.b, total, at, d + 16u);
  store_16(sums.c, total, at, d + 32u);
  store_16(sums.d, total, at, d + 48u);
}
