// winograd_output: 2×2 pixels Aᵀ m A of an NHWC image from every tile m of [16, tiles, O], and the epilogue
//
// The last step of F(2×2, 3×3) (Lavin & Gray 2016). One invocation: one tile, four channels. Pixels of a
// tile beyond an odd edge are not written.
//
// ports   a_at (operand_a)   finish (epilogue)   flat_index (grid)   pixel_of (winograd_tile)
// consts  WG

struct Params { tiles: u32, channel4s: u32, height: u32, width: u32 }

fn products(row: u32, i: u32) -> mat4x4f {
  let step = params.tiles * params.channel4s;
  let at = 4u * row * step + i;
  return mat4x4f(a_at(at, 4u), a_at(at + step, 4u), a_at(at + 2u * step, 4u), a_at(at + 3u * step, 4u));
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  let tile = i / params.channel4s;
  if tile >= params.tiles { return; }
  let channel4 = i - tile * params.channel4s;
  let pixel = pixel_of(tile, params.height, params.width);
  let m0 = products(0u, i);
  let m1 = products(1u, i);
  let m2 = products(2u, i);
  let m3 = products(3u, i);
  let upper = m0 + m1 + m2;
  let lower = m1 - m2 - m3;
  var sums = array<vec4f, 4>(
    upper[0] + upper[1] + upper[2], upper[1] - upper[2] - upper[3],
    lower[0] + lower[1] + lower[2], lower[1] - lower[2] - lower[3],
  );
  for (var p = 0u; p < 4u; p++) {
    let y = pixel.y + p / 2u;
    let x = pixel.z + p % 2u;
    if y < params.height && x < params.width {
      finish(sums[p], ((pixel.x * params.height + y) * params.width + x) * params.channel4s + channel4, channel4, 4u);
    }
  }
}
