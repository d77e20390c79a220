// conv2d_depthwise_3x3: conv2d_depthwise where the filter is 3×3 and neither strides nor dilates
//
// One invocation: ROWS rows of four pixels, four channels. It walks down the rows. A row of the image is read once and
// adds to three rows of the output: by the last row of the filter, the middle one, the first. The filter stays in
// registers.
//
// ports   as conv2d_depthwise
// consts  WG ROWS

struct Params { strips: u32, channels: u32 }

fn pixel_at(row: u32, inside: bool, x: i32, channel: u32) -> vec4f {
  let nearest = clamp(x, 0, window.in_w - 1);
  let v = a_at(((row + u32(nearest)) * params.channels + channel) / A_UNIT, params.channels - channel);
  return select(vec4f(), v, inside && x == nearest);
}

fn taps(ky: u32, channel: u32) -> mat3x4f {
  let at = 3u * ky * params.channels + channel;
  let live = params.channels - channel;
  return mat3x4f(
    b_at(at / B_UNIT, live), b_at((at + params.channels) / B_UNIT, live), b_at((at + 2u * params.channels) / B_UNIT, live),
  );
}

fn dots(sum: vec4f, a: vec4f, b: vec4f, c: vec4f, f: mat3x4f) -> vec4f {
  return fma(c, f[2], fma(b, f[1], fma(a, f[0], sum)));
}

fn add_row(sums: mat4x4f, p: array<vec4f, 6>, f: mat3x4f) -> mat4x4f {
  return mat4x4f(
    dots(sums[0], p[0], p[1], p[2], f),
    dots(sums[1], p[1], p[2], p[3], f),
    dots(sums[2], p[2], p[3], p[4], f),
    dots(sums[3], p[3], p[4], p[5], f),
  );
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  let channel4s = (params.channels + 3u) / 4u;
  let strip = i / channel4s;
  if strip >= params.strips { return; }
  let channel = 4u * (i - strip * channel4s);
  let live = params.channels - channel;
  let quads = (window.out_w + 3u) / 4u;
  let bands = (window.out_h + ROWS - 1u) / ROWS;
  let image = strip / quads / bands;
  let first = 4u * (strip % quads);
  let start = strip / quads % bands * ROWS;
  let end = min(start + ROWS, window.out_h);
  let count = min(4u, window.out_w - first);
  let x = i32(first) - window.pad_left;
  let f0 = taps(0u, channel);
  let f1 = taps(1u, channel);
  let f2 = taps(2u, channel);
  var above = mat4x4f();
  var here = mat4x4f();
  for (var row = 0u; row < end - start + 2u; row++) {
    let y = i32(start + row) - window.pad_top;
    let nearest = clamp(y, 0, window.in_h - 1);
    let inside = y == nearest;
    let at = (image * u32(window.in_h) + u32(nearest)) * u32(window.in_w);
    let p = array<vec4f, 6>(
      pixel_at(at, inside, x, channel),
      pixel_at(at, inside, x + 1, channel),
      pixel_at(at, inside, x + 2, channel),
      pixel_at(at, inside, x + 3, channel),
      pixel_at(at, inside, x + 4, channel),
      pixel_at(at, inside, x + 5, channel),
    );
    let done = add_row(above, p, f2);
    above = add_row(here, p, f1);
    here = add_row(mat4x4f(), p, f0);
    if row >= 2u {
      var sums = done;
      let line = image * window.out_h + start + row - 2u;
      for (var q = 0u; q < count; q++) {
        finish(sums[q], ((line * window.out_w + first + q) * params.channels + channel) / OUT_UNIT, channel / OUT_UNIT, live);
      }
    }
  }
}
