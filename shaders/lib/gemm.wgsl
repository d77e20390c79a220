// The shape of a matrix product. Lengths m n k and taps in elements; strides lda (row of A) and ldb (row of B) in A_UNIT and
// B_UNIT, ldc (row of C) in OUT_UNIT. Each batch, or group of a convolution, starts a_batch, b_batch, c_batch further on in
// the same units; its columns of scale and bias start column_batch further on, in OUT_UNIT.
struct Params {
  m: u32, n: u32, k: u32, taps: u32,
  lda: u32, ldb: u32, ldc: u32, column_batch: u32,
  a_batch: u32, b_batch: u32, c_batch: u32, batches: u32,
}
