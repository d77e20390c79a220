// The left operand of a product, or an image: four consecutive elements as float32, and where rows lie.
// a_at        `i` counts A_UNIT elements; only the first `live` of the four belong to the row, the rest read as zero
// rows_of_a   four rows of a matrix, or pixels of an NHWC image: `row` is an output pixel (n, y, x), `tap` a position in the window. Rows past
//             the last read as the last and are not stored
// over_row    of gemv: a sum over a row. Where the row is normalised (Zhang & Sennrich 2019), the sum is multiplied by row_factor, one over the
//             root mean square, to which all invocations of a line come

//# vec4
const A_UNIT = 4u;
@group(0) @binding(1) var<storage, read> a: array<Elem4>;
fn a_at(i: u32, live: u32) -> vec4f { return vec4f(a[i]); }

//# ragged
const A_UNIT = 1u;
@group(0) @binding(1) var<storage, read> a: array<Elem>;
fn a_at(i: u32, live: u32) -> vec4f {
  return select(vec4f(), vec4f(f32(a[i]), f32(a[i + 1u]), f32(a[i + 2u]), f32(a[i + 3u])), vec4u(0u, 1u, 2u, 3u) < vec4u(live));
}

// One row, times the scale of its normalisation. row_at: without.
//# vec4_normed
const A_UNIT = 4u;
@group(0) @binding(1) var<storage, read> a: array<Elem4>;
@group(0) @binding(10) var<storage, read> norm: array<Elem4>;
fn row_at(i: u32, live: u32) -> vec4f { return vec4f(a[i]); }
fn a_at(i: u32, live: u32) -> vec4f { return vec4f(a[i]) * vec4f(norm[i]); }

//# ragged_normed
const A_UNIT = 1u;
@group(0) @binding(1) var<storage, read> a: array<Elem>;
@group(0) @binding(10) var<storage, read> norm: array<Elem>;
fn row_at(i: u32, live: u32) -> vec4f {
  return select(vec4f(), vec4f(f32(a[i]), f32(a[i + 1u]), f32(a[i + 2u]), f32(a[i + 3u])), vec4u(0u, 1u, 2u, 3u) < vec4u(live));
}
fn a_at(i: u32, live: u32) -> vec4f {
  let scaled = row_at(i, live) * vec4f(f32(norm[i]), f32(norm[i + 1u]), f32(norm[i + 2u]), f32(norm[i + 3u]));
  return select(vec4f(), scaled, vec4u(0u, 1u, 2u, 3u) < vec4u(live));
}

//# product
// Lengths in elements; strides of a row, and from batch to batch (of scales and bias: column_batch), in A_UNIT, B_UNIT, OUT_UNIT.
struct Params { m: u32, n: u32, k: u32, taps: u32, lda: u32, ldb: u32, ldc: u32, column_batch: u32, a_batch: u32, b_batch: u32, c_batch: u32, batches: u32 }
struct Rows { start: vec4u, inside: vec4u } // `inside`: all bits, none in the padding of an image

//# dense
fn rows_of_a(row: u32, tap: u32) -> Rows {
  return Rows(min(vec4u(row) + vec4u(0u, 1u, 2u, 3u), vec4u(params.m - 1u)) * params.lda, ~vec4u());
}

//# conv2d
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

//# as_is
fn row_factor(lane: u32, line: u32) -> f32 { return 1.0; }
fn over_row(sum: Sum4, factor: f32) -> Sum4 { return sum; }

//# rms
fn row_factor(lane: u32, line: u32) -> f32 {
  var squares = vec4f();
  for (var k = 4u * lane; k < params.k; k += 4u * LANES) {
    let x = row_at(k / A_UNIT, params.k - k);
    squares += x * x;
  }
  return 1.0 / sqrt(dot(reduce_sum(squares, lane, line), vec4f(1.0)) / f32(params.k) + EPSILON);
}
fn over_row(sum: Sum4, factor: f32) -> Sum4 { return sum * factor; }
