// max_pool2d_with_indices: the maximum of a window over an image [count, h, w, channels], and where in the image it is: of equals the first
//
// NaN is the largest of all. A window without elements gives -Infinity and 0.
// ports   Elem (elem)   is_nan, float_of (functions)   Window (window)   flat_index (grid)
// consts  WG

struct Params { count: u32, channels: u32 }

@group(0) @binding(1) var<storage, read> input: array<Elem>;
@group(0) @binding(3) var<storage, read_write> output: array<Elem>;
@group(0) @binding(4) var<storage, read_write> indices: array<u32>;

fn no_number(x: f32) -> bool { return is_nan(vec4f(x)).x; }

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i >= params.count { return; }
  let pixel = i / params.channels;
  let line = pixel / window.out_w;
  let image = line / window.out_h;
  let top = i32((line - image * window.out_h) * window.stride_h) - window.pad_top;
  let left = i32((pixel - line * window.out_w) * window.stride_w) - window.pad_left;
  var best = -float_of(INFINITY);
  var place = 0u;
  var none = true;
  for (var ky = 0u; ky < window.kernel_h; ky++) {
    let y = top + i32(ky * window.dilation_h);
    if y < 0 || y >= window.in_h { continue; }
    for (var kx = 0u; kx < window.kernel_w; kx++) {
      let x = left + i32(kx * window.dilation_w);
      if x < 0 || x >= window.in_w { continue; }
      let at = ((image * u32(window.in_h) + u32(y)) * u32(window.in_w) + u32(x)) * params.channels + i - pixel * params.channels;
      let value = f32(input[at]);
      if none || (!no_number(best) && (value > best || no_number(value))) {
        best = value;
        place = at;
      }
      none = false;
    }
  }
  output[i] = Elem(best);
  indices[i] = place;
}
