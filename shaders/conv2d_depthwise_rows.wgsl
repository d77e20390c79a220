// conv2d_depthwise_rows: conv2d_depthwise for GPUs, where the output has PIXELS columns or more
//
// One invocation: four channels of PIXELS neighbouring pixels of a row. Of each row of the image that the filter covers, the SPAN
// pixels that these see are read once, and multiplied with a row of the filter.
//
//   image, SPAN = 6             output, PIXELS = 4     STRIDE_W = 1, KERNEL_W = 3
//  ┌────┬────┬────┬────┬────┬────┐
//  │    │    │    │    │    │    │   ky = 0
//  ├────┼────┼────┼────┼────┼────┤     ┌────┬────┬────┬────┐
//  │    │    │    │    │    │    │ ──► │    │    │    │    │
//  ├────┼────┼────┼────┼────┼────┤     └────┴────┴────┴────┘
//  │    │    │    │    │    │    │   ky = 2
//  └────┴────┴────┴────┴────┴────┘
//
// The last invocation of a row ends where the row does: none but the first LEFT and the last RIGHT of SPAN can lie in the padding.
//
// ports   as conv2d_depthwise
// consts  WG PIXELS   KERNEL_W STRIDE_W DILATION_W   LEFT RIGHT (padding)

struct Params { strips: u32, channels: u32 }

const MOST = 0x7fffffffu; // turns: a bound that is a constant spares counters against endless loops
const SPAN = (PIXELS - 1u) * STRIDE_W + (KERNEL_W - 1u) * DILATION_W + 1u;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  let channel4s = (params.channels + 3u) / 4u;
  let strip = i / channel4s;
  if strip >= params.strips { return; }
  let channel = 4u * (i - strip * channel4s);
  let live = params.channels - channel;
  let across = (window.out_w + PIXELS - 1u) / PIXELS;
  let line = strip / across;
  let first = min((strip - line * across) * PIXELS, window.out_w - PIXELS);
  let image = line / window.out_h;
  var y = (line - image * window.out_h) * window.stride_h - u32(window.pad_top); // wraps above the image
  let x = i32(first * STRIDE_W) - i32(LEFT);
  let step = params.channels / A_UNIT;
  let tap_step = params.channels / B_UNIT;
  let in_line = u32(window.in_w) * step;
  var at = (image * u32(window.in_h) + y) * in_line + u32(x) * step + channel / A_UNIT;
  var tap = channel / B_UNIT;
  var sums: array<vec4f, PIXELS>;
  for (var ky = 0u; ky < MOST; ky++) {
    if ky >= window.kernel_h { break; }
    if y < u32(window.in_h) {
      var row: array<vec4f, SPAN>;
      var pixel = at;
      for (var c = 0u; c < SPAN; c++) {
        row[c] = a_at(pixel, live);
        if c < LEFT { row[c] = select(vec4f(), row[c], x + i32(c) >= 0); }
        if c + RIGHT >= SPAN { row[c] = select(vec4f(), row[c], x + i32(c) < window.in_w); }
        pixel += step;
      }
      var at_tap = tap;
      for (var kx = 0u; kx < KERNEL_W; kx++) {
        let f = b_at(at_tap, live);
        for (var p = 0u; p < PIXELS; p++) { sums[p] = fma(row[p * STRIDE_W + kx * DILATION_W], f, sums[p]); }
        at_tap += tap_step;
      }
    }
    y += window.dilation_h;
    at += window.dilation_h * in_line;
    tap += KERNEL_W * tap_step;
  }
  let out = ((line * window.out_w + first) * params.channels + channel) / OUT_UNIT;
  for (var p = 0u; p < PIXELS; p++) {
    finish(sums[p], out + p * (params.channels / OUT_UNIT), channel / OUT_UNIT, live);
  }
}
