// Where a row of A lies, for kernels that read one row at a time (rows.wgsl: four).
// row_of(row, tap)    the place of its first element, or OUTSIDE: in the padding of an image
// taps()              how many a row has
// Rows past the last read as the last and are not stored.

//# dense
const OUTSIDE = 0xffffffffu;
fn row_of(row: u32, tap: u32) -> u32 { return min(row, params.m - 1u) * params.lda; }
fn taps() -> u32 { return 1u; }

//# conv2d
// A row is an output pixel (image, y, x) of an NHWC image, a tap a kernel position.
const OUTSIDE = 0xffffffffu;
fn row_of(row: u32, tap: u32) -> u32 {
  let pixel = min(row, params.m - 1u);
  let line = pixel / window.out_w;
  let image = line / window.out_h;
  let y = i32((line - image * window.out_h) * window.stride_h + tap / window.kernel_w * window.dilation_h) - window.pad_top;
  let x = i32((pixel - line * window.out_w) * window.stride_w + tap % window.kernel_w * window.dilation_w) - window.pad_left;
  let inside = u32(y) < u32(window.in_h) && u32(x) < u32(window.in_w);
  return select(OUTSIDE, u32((i32(image) * window.in_h + y) * window.in_w + x) * params.lda, inside);
}
fn taps() -> u32 { return params.taps; }
