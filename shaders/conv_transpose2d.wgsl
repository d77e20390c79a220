// conv_transpose2d: output = activation(transposed convolution + bias + residual), image [N,H,W,groups k], filter [H,W,groups k,n]
//
// One invocation: four channels of two pixels of a row. The pixels are a stride apart, so that the same taps meet both:
// output x reads input (x + pad - tap dilation) / stride where that is whole.
//
// ports   a_at (operand_a)   b_at (operand_b)   finish (epilogue)   Window (window)   flat_index (grid)
// consts  WG

struct Params { lines: u32, pairs: u32, groups: u32, k: u32, n: u32 }

// Four channels of the pixel in column x of the image row that starts at `row`, zero beyond its edges.
fn pixel_at(row: u32, x: i32, channel: u32, live: u32) -> vec4f {
  let v = a_at(((row + u32(x)) * params.groups * params.k + channel) / A_UNIT, live);
  return select(vec4f(), v, u32(x) < u32(window.in_w));
}

// Four columns of a row of the filter, zero beyond the channels of the group.
fn weights_at(row: u32, column: u32, inside: bool) -> vec4f {
  return select(vec4f(), b_at((row * params.n + column) / B_UNIT, params.n - column), inside);
}

// The sums of a pixel, and those of four of its channels times their rows of the filter.
fn plus(sums: vec4f, weights: mat4x4f, pixel: vec4f) -> vec4f {
  return fma(weights[3], vec4f(pixel.w), fma(weights[2], vec4f(pixel.z), fma(weights[1], vec4f(pixel.y), fma(weights[0], vec4f(pixel.x), sums))));
}

fn finish_pixel(v: vec4f, x: u32, line: u32, column: u32, live: u32) {
  if x < window.out_w { finish(v, ((line * window.out_w + x) * params.groups * params.n + column) / OUT_UNIT, column / OUT_UNIT, live); }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let i = flat_index(id, workgroups);
  let n4 = (params.n + 3u) / 4u;
  let quad = i / (params.groups * n4);
  let line = quad / params.pairs;
  if line >= params.lines { return; }
  let column4 = i - quad * params.groups * n4;
  let group = column4 / n4;
  let column = 4u * (column4 - group * n4);
  let live = params.n - column;
  let stride = vec2i(i32(window.stride_w), i32(window.stride_h));
  let q = quad - line * params.pairs;
  let first = 2u * (q / window.stride_w) * window.stride_w + q % window.stride_w;
  let image = line / window.out_h;
  let bottom = i32(line - image * window.out_h) + window.pad_top;
  let right = i32(first) + window.pad_left;
  var near = vec4f();
  var far = vec4f();
  for (var ky = 0u; ky < window.kernel_h; ky++) {
    let y = bottom - i32(ky * window.dilation_h);
    if y < 0 || y % stride.y != 0 || y / stride.y >= window.in_h { continue; }
    let row = (image * u32(window.in_h) + u32(y / stride.y)) * u32(window.in_w);
    for (var kx = 0u; kx < window.kernel_w; kx++) {
      let place = right - i32(kx * window.dilation_w);
      if place % stride.x != 0 { continue; }
      let x = place / stride.x;
      let tap = (ky * window.kernel_w + kx) * params.groups * params.k;
      for (var channel = 0u; channel < params.k; channel += 4u) {
        let first_k = group * params.k + channel;
        let left = params.k - channel;
        let weights = mat4x4f(
          weights_at(tap + first_k, column, true),
          weights_at(tap + first_k + 1u, column, left > 1u),
          weights_at(tap + first_k + 2u, column, left > 2u),
          weights_at(tap + first_k + 3u, column, left > 3u),
        );
        near = plus(near, weights, pixel_at(row, x, first_k, left));
        far = plus(far, weights, pixel_at(row, x + 1, first_k, left));
      }
    }
  }
  finish_pixel(near, first, line, group * params.n + column, live);
  finish_pixel(far, first + window.stride_w, line, group * params.n + column, live);
}
