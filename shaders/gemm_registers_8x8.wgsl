// gemm_registers_8x8: C[M,N] = epilogue(Σ_tap A_tap[M,K] · B_tap[K,N]), for each of a batch of them
//
// matmul is one tap. conv2d (NHWC, filter HWIO) is one tap per kernel position: the rows of A are output pixels, shifted by
// the tap; padding reads as zero; groups are the batch. One invocation computes an 8×8 block of C as 2×2 blocks of mat4x4f
// and reads A and B straight from storage: no workgroup memory, no barrier. The family for software adapters, where a
// barrier turns each subgroup into a coroutine and the compiler does not unroll.
//
// layout  row-major; whole vec4 along K and N, or any length with the ragged ports
// sums    float32, whatever is stored
// ports   Elem4 (elem)   Params (gemm)   a_at (operand_a)   b_at (operand_b)   block_b (layout_b)   rows_of_a (rows)
//         block_a (block_a)   outer (outer)   finish_row, rows_from (gemm_finish)
// consts  WG_X WG_Y   invocations a workgroup

@compute @workgroup_size(WG_X, WG_Y)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * 8u;
  let n4 = (params.n + 3u) / 4u;
  let left = id.x * 2u;
  if row >= params.m || left >= n4 { return; }
  let right = min(left + 1u, n4 - 1u);
  let a_start = id.z * params.a_batch;
  var b_start = id.z * params.b_batch;

  var c00 = mat4x4f();
  var c01 = mat4x4f();
  var c10 = mat4x4f();
  var c11 = mat4x4f();
  for (var tap = 0u; tap < params.taps; tap++) {
    let upper = rows_of_a(row, tap);
    let lower = rows_of_a(row + 4u, tap);
    for (var k4 = 0u; 4u * k4 < params.k; k4++) {
      let a0 = block_a(upper, a_start, k4);
      let a1 = block_a(lower, a_start, k4);
      let b0 = block_b(b_start, k4, left);
      let b1 = block_b(b_start, k4, right);
      c00 = outer(c00, a0, b0);
      c01 = outer(c01, a0, b1);
      c10 = outer(c10, a1, b0);
      c11 = outer(c11, a1, b1);
    }
    b_start += params.k * params.ldb;
  }

  var sums = array<vec4f, 16>(
    c00[0], c01[0], c00[1], c01[1], c00[2], c01[2], c00[3], c01[3],
    c10[0], c11[0], c10[1], c11[1], c10[2], c11[2], c10[3], c11[3],
  );
  let count = 2u * rows_from(row, 8u);
  for (var i = 0u; i < count; i++) { finish_row(row + i / 2u, left + i % 2u, id.z, sums[i]); }
}
