// winograd_input: V = Bᵀ d B for every 4×4 tile d of an NHWC image, two pixels apart; [16, tiles, C]
//
// The first step of F(2×2, 3×3) (Lavin & Gray 2016). One invocation: one tile, four channels. A row of a tile is a
// matrix with a column per pixel. Padding reads as zero.
//
// ports   a_at (operand_a)   store (store)   Window (window)   flat_index (grid)   pixel_of (winograd_tile)
// consts  WG

struct Params { tiles: u32, channel4s: u32 }

fn pixels(image: u32, y: i32, x: i32, channel4: u32) -> mat4x4f {
  let xs = vec4i(x) + vec4i(0, 1, 2, 3);
  let inside = (vec4i(y) >= vec4i()) & (vec4i(y) < vec4i(window.in_h)) & (xs >= vec4i()) & (xs < vec4i(window.in_w));
  let at = select(vec4u(), ((image * u32(window.in_h) + u32(y)) * u32(window.in_w) + vec4u(xs)) * params.channel4s + channel4, inside);
  let mask = select(vec4f(), vec4f(1.0), inside);
  return mat4x4f(a_at(at.x, 4u) * mask.x, a_at(at.y, 4u) * mask.y, a_at(at.z, 4u) * mask.z, a_at(at.w, 4u) * mask.w);
}

fn store_row(row: u32, i: u32, d: mat4x4f) {
  let step = params.tiles * params.channel4s;
  let at = 4u * row * step + i;
  store(at, d[0] - d[2], 4u);
  store(at + step, d[1] + d[2], 4u);
  store(at + 2u * step, d[2] - d[1], 4u);
  store(at + 3u * step, d[1] - d[3], 4u);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  let tile = i / params.channel4s;
  if tile >= params.tiles { return; }
  let channel4 = i - tile * params.channel4s;
  let pixel = pixel_of(tile, window.out_h, window.out_w);
  let image = pixel.x;
  let y = i32(pixel.y) - window.pad_top;
  let x = i32(pixel.z) - window.pad_left;
  let d0 = pixels(image, y, x, channel4);
  let d1 = pixels(image, y + 1, x, channel4);
  let d2 = pixels(image, y + 2, x, channel4);
  let d3 = pixels(image, y + 3, x, channel4);
  store_row(0u, i, d0 - d2);
  store_row(1u, i, d1 + d2);
  store_row(2u, i, d2 - d1);
  store_row(3u, i, d1 - d3);
}
