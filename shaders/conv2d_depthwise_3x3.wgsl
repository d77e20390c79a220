// conv2d_depthwise_3x3: conv2d_depthwise where the filter is 3×3, neither strides nor dilates, and padding is 1 at the most
//
// One invocation: a strip of params.rows rows of four pixels, four channels. It walks down the rows of the image. A row is read
// once, six pixels, and adds to three rows of the output: by the last row of the filter, the middle one, the first. The filter
// stays in registers.
//
// Strips overlap where the output is no multiple of them: all are whole, and nothing but the first and the last of the six columns
// can lie in the padding.
//
// ports   as conv2d_depthwise
// consts  WG   TURNS   rows in a turn of the loop: where there are two, no sums move from register to register

// `whole`: rows of the output that need no row of the padding below the image
struct Params { strips: u32, channels: u32, rows: u32, whole: u32 }

const MOST = 0x7fffffffu; // turns: a bound that is a constant spares counters against endless loops

struct Pixels { a: vec4f, b: vec4f, c: vec4f, d: vec4f, e: vec4f, f: vec4f }

fn pixels_at(at: u32, step: u32, left: bool, right: bool, live: u32) -> Pixels {
  return Pixels(
    select(vec4f(), a_at(at, live), left),
    a_at(at + step, live),
    a_at(at + 2u * step, live),
    a_at(at + 3u * step, live),
    a_at(at + 4u * step, live),
    select(vec4f(), a_at(at + 5u * step, live), right),
  );
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

fn add_row(sums: mat4x4f, p: Pixels, f: mat3x4f) -> mat4x4f {
  return mat4x4f(
    dots(sums[0], p.a, p.b, p.c, f), dots(sums[1], p.b, p.c, p.d, f),
    dots(sums[2], p.c, p.d, p.e, f), dots(sums[3], p.d, p.e, p.f, f),
  );
}

fn finish_row(sums: mat4x4f, at: u32, step: u32, channel: u32) {
  for (var p = 0u; p < 4u; p++) { finish(sums[p], at + p * step, channel / OUT_UNIT, params.channels - channel); }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  let channel4s = (params.channels + 3u) / 4u;
  let strip = i / channel4s;
  if strip >= params.strips { return; }
  let channel = 4u * (i - strip * channel4s);
  let live = params.channels - channel;
  let across = (window.out_w + 3u) / 4u;
  let bands = (params.whole + params.rows - 1u) / params.rows;
  let last = params.whole - params.rows; // where the last band begins
  let image = strip / across / bands;
  let first = min(strip % across * 4u, window.out_w - 4u);
  let start = min(strip / across % bands * params.rows, last);
  let x = i32(first) - window.pad_left;
  let y = i32(start) - window.pad_top;
  let left = x >= 0;
  let right = x + 5 < window.in_w;
  let in_step = params.channels / A_UNIT;
  let in_line = u32(window.in_w) * in_step;
  let out_step = params.channels / OUT_UNIT;
  var at = u32(i32(image) * window.in_h + y) * in_line + u32(x) * in_step + channel / A_UNIT;
  var out = ((image * window.out_h + start) * window.out_w + first) * out_step + channel / OUT_UNIT;
  let f0 = taps(0u, channel);
  let f1 = taps(1u, channel);
  let f2 = taps(2u, channel);
  var above = mat4x4f();
  if y >= 0 { above = add_row(above, pixels_at(at, in_step, left, right, live), f0); }
  let second = pixels_at(at + in_line, in_step, left, right, live);
  above = add_row(above, second, f1);
  var here = add_row(mat4x4f(), second, f0);
  at += 2u * in_line;
  for (var row = 0u; row < MOST; row += TURNS) {
    if row >= params.rows { break; }
    for (var turn = 0u; turn < TURNS; turn++) {
      let p = pixels_at(at, in_step, left, right, live);
      finish_row(add_row(above, p, f2), out, out_step, channel);
      above = add_row(here, p, f1);
      here = add_row(mat4x4f(), p, f0);
      at += in_line;
      out += window.out_w * out_step;
    }
  }
  if params.whole < window.out_h && start == last { finish_row(above, out, out_step, channel); }
}
