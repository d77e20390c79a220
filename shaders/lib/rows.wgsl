// Where rows of A lie. dense: a matrix. conv2d: an NHWC image, a row is an output pixel (n, y, x), a tap a kernel position.
// Rows past the last read as the last and are not stored. `inside` has all bits where a row lies inside the image, none where in its padding.

//# dense
struct Rows { start: vec4u, inside: vec4u }
fn rows_of_a(row: u32, tap: u32) -> Rows {
  return Rows(min(vec4u(row) + vec4u(0u, 1u, 2u, 3u), vec4u(params.m - 1u)) * params.lda, ~vec4u());
}

//# conv2d
struct Rows { start: vec4u, inside: vec4u }
// Four pixels at once: eight scalar copies of this took SwiftShader 12 s to compile, two of these 0.3 s.
fn rows_of_a(row: u32, tap: u32) -> Rows {
  let pixel = min(vec4u(row) + vec4u(0u, 1u, 2u, 3u), vec4u(params.m - 1u));
  let line = pixel / window.out_w;
  let image = line / window.out_h;
  let y = vec4i((line - image * window.out_h) * window.stride_h + tap / window.kernel_w * window.dilation_h) - vec4i(window.pad_top);
  let x = vec4i((pixel - line * window.out_w) * window.stride_w + tap % window.kernel_w * window.dilation_w) - vec4i(window.pad_left);
  let inside = (y >= vec4i()) & (y < vec4i(window.in_h)) & (x >= vec4i()) & (x < vec4i(window.in_w));
  let start = ((image * u32(window.in_h) + vec4u(y)) * u32(window.in_w) + vec4u(x)) * params.lda;
  return Rows(select(vec4u(), start, inside), select(vec4u(), ~vec4u(), inside));
}
