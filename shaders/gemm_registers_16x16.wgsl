// gemm_registers_16x16: C[M,N] = epilogue(Σ_tap A_tap[M,K] · B_tap[K,N]), for each of a batch of them
//
// gemm_registers_8x8 with four times the output an invocation: half the loads for the same work, so the faster of the two
// wherever the output is large enough to keep all cores busy. A strip is 4 rows of 16 columns. Ports, layout and sums as there.
//
// consts  WG_X WG_Y   invocations a workgroup

struct Strip { p: mat4x4f, q: mat4x4f, r: mat4x4f, s: mat4x4f }

fn strip_of_b(start: u32, k4: u32, left: u32, last: u32) -> Strip {
  return Strip(
    block_b(start, k4, left),
    block_b(start, k4, min(left + 1u, last)),
    block_b(start, k4, min(left + 2u, last)),
    block_b(start, k4, min(left + 3u, last)),
  );
}

fn add_product(c: Strip, a: mat4x4f, b: Strip) -> Strip {
  return Strip(outer(c.p, a, b.p), outer(c.q, a, b.q), outer(c.r, a, b.r), outer(c.s, a, b.s));
}

@compute @workgroup_size(WG_X, WG_Y)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * 16u;
  let n4 = (params.n + 3u) / 4u;
  let left = id.x * 4u;
  if row >= params.m || left >= n4 { return; }
  let a_start = id.z * params.a_batch;
  var b_start = id.z * params.b_batch;

  var c0 = Strip();
  var c1 = Strip();
  var c2 = Strip();
  var c3 = Strip();
  for (var tap = 0u; tap < params.taps; tap++) {
    let rows0 = rows_of_a(row, tap);
    let rows1 = rows_of_a(row + 4u, tap);
    let rows2 = rows_of_a(row + 8u, tap);
    let rows3 = rows_of_a(row + 12u, tap);
    for (var k4 = 0u; 4u * k4 < params.k; k4++) {
      let b = strip_of_b(b_start, k4, left, n4 - 1u);
      c0 = add_product(c0, block_a(rows0, a_start, k4), b);
      c1 = add_product(c1, block_a(rows1, a_start, k4), b);
      c2 = add_product(c2, block_a(rows2, a_start, k4), b);
      c3 = add_product(c3, block_a(rows3, a_start, k4), b);
    }
    b_start += params.k * params.ldb;
  }

  var sums = array<vec4f, 64>(
    c0.p[0], c0.q[0], c0.r[0], c0.s[0], c0.p[1], c0.q[1], c0.r[1], c0.s[1], c0.p[2], c0.q[2], c0.r[2], c0.s[2], c0.p[3], c0.q[3], c0.r[3], c0.s[3],
    c1.p[0], c1.q[0], c1.r[0], c1.s[0], c1.p[1], c1.q[1], c1.r[1], c1.s[1], c1.p[2], c1.q[2], c1.r[2], c1.s[2], c1.p[3], c1.q[3], c1.r[3], c1.s[3],
    c2.p[0], c2.q[0], c2.r[0], c2.s[0], c2.p[1], c2.q[1], c2.r[1], c2.s[1], c2.p[2], c2.q[2], c2.r[2], c2.s[2], c2.p[3], c2.q[3], c2.r[3], c2.s[3],
    c3.p[0], c3.q[0], c3.r[0], c3.s[0], c3.p[1], c3.q[1], c3.r[1], c3.s[1], c3.p[2], c3.q[2], c3.r[2], c3.s[2], c3.p[3], c3.q[3], c3.r[3], c3.s[3],
  );
  let count = 4u * rows_from(row, 16u);
  for (var i = 0u; i < count; i++) { finish_row(row + i / 4u, left + i % 4u, id.z, sums[i]); }
}
