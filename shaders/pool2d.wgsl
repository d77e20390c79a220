// pool2d: output = fold of the window over an NHWC image, four channels an invocation; padding takes no part
//
// ports   a_at (operand_a)   store (store)   none, fold4, close4 (pooling, pooling_powers)   Window (window)   flat_index (grid)
// consts  WG

struct Params { count: u32, channels: u32 }

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  let channel4s = (params.channels + 3u) / 4u;
  let pixel = i / channel4s;
  if pixel >= params.count { return; }
  let channel = 4u * (i - pixel * channel4s);
  let live = params.channels - channel;
  let line = pixel / window.out_w;
  let image = line / window.out_h;
  let top = i32((line - image * window.out_h) * window.stride_h) - window.pad_top;
  let left = i32((pixel - line * window.out_w) * window.stride_w) - window.pad_left;
  var total = vec4f(none());
  var taken = 0.0;
  for (var ky = 0u; ky < window.kernel_h; ky++) {
    let y = top + i32(ky * window.dilation_h);
    if y < 0 || y >= window.in_h { continue; }
    for (var kx = 0u; kx < window.kernel_w; kx++) {
      let x = left + i32(kx * window.dilation_w);
      if x < 0 || x >= window.in_w { continue; }
      let at = ((image * u32(window.in_h) + u32(y)) * u32(window.in_w) + u32(x)) * params.channels + channel;
      total = fold4(total, a_at(at / A_UNIT, live));
      taken += 1.0;
    }
  }
  store((pixel * params.channels + channel) / OUT_UNIT, close4(total, taken), live);
}
