// conv2d_depthwise: each channel of an NHWC image with its own filter (HWC)
//
// One invocation: four channels of four neighbouring pixels of a row. They share the loads of the filter. A part for windows that move by
// one column, where they share the loads of the image too, and one for others.
//
// ports   Elem4 (elem)   a_at (operand_a)   b_at (operand_b)   finish (epilogue)   Window (window)   flat_index (grid)
// consts  WG

struct Params { lines: u32, channels: u32 }

// The pixel in column x of the image row that starts at `row`. Zero beyond the edges, and without such a row.
fn pixel_at(row: u32, inside: bool, x: i32, channel: u32) -> vec4f {
  let nearest = clamp(x, 0, window.in_w - 1);
  let v = a_at(((row + u32(nearest)) * params.channels + channel) / A_UNIT, params.channels - channel);
  return select(vec4f(), v, inside && x == nearest);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  let channel4s = (params.channels + 3u) / 4u;
  let quad = i / channel4s;
  let quads = (window.out_w + 3u) / 4u;
  let line = quad / quads;
  if line >= params.lines { return; }
  let channel = 4u * (i - quad * channel4s);
  let live = params.channels - channel;
  let first = 4u * (quad - line * quads);
  let image = line / window.out_h;
  let top = i32((line - image * window.out_h) * window.stride_h) - window.pad_top;
  let left = i32(first * window.stride_w) - window.pad_left;
  var sums = mat4x4f();
  for (var ky = 0u; ky < window.kernel_h; ky++) {
    let y = top + i32(ky * window.dilation_h);
    let nearest = clamp(y, 0, window.in_h - 1);
    let row = (image * u32(window.in_h) + u32(nearest)) * u32(window.in_w);
    let inside = y == nearest;
    sums = add_row(sums, row, inside, left, ky * window.kernel_w, channel);
  }
  let count = min(4u, window.out_w - first);
  for (var p = 0u; p < count; p++) {
    finish(sums[p], ((line * window.out_w + first + p) * params.channels + channel) / OUT_UNIT, channel / OUT_UNIT, live);
  }
}

//# steps
// Adds a row of the image, times the row of the filter that starts at `tap`, to the sums of pixels whose windows begin in column `left`.
fn add_row(sums: mat4x4f, row: u32, inside: bool, left: i32, tap: u32, channel: u32) -> mat4x4f {
  var all = sums;
  var x = left;
  let stride = i32(window.stride_w);
  for (var kx = 0u; kx < window.kernel_w; kx++) {
    let f = b_at(((tap + kx) * params.channels + channel) / B_UNIT, params.channels - channel);
    all = mat4x4f(
      fma(pixel_at(row, inside, x, channel), f, all[0]),
      fma(pixel_at(row, inside, x + stride, channel), f, all[1]),
      fma(pixel_at(row, inside, x + 2 * stride, channel), f, all[2]),
      fma(pixel_at(row, inside, x + 3 * stride, channel), f, all[3]),
    );
    x += i32(window.dilation_w);
  }
  return all;
}

//# slides
// As in steps, where neither strides nor dilates: of the four pixels that a tap meets, the next tap meets three again.
fn add_row(sums: mat4x4f, row: u32, inside: bool, left: i32, tap: u32, channel: u32) -> mat4x4f {
  var all = sums;
  var x = left + 3;
  var p = mat3x4f(pixel_at(row, inside, left, channel), pixel_at(row, inside, left + 1, channel), pixel_at(row, inside, left + 2, channel));
  for (var kx = 0u; kx < window.kernel_w; kx++) {
    let f = b_at(((tap + kx) * params.channels + channel) / B_UNIT, params.channels - channel);
    let next = pixel_at(row, inside, x, channel);
    all = mat4x4f(fma(p[0], f, all[0]), fma(p[1], f, all[1]), fma(p[2], f, all[2]), fma(next, f, all[3]));
    p = mat3x4f(p[1], p[2], next);
    x++;
  }
  return all;
}
