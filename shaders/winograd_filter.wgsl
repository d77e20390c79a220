// winograd_filter: U = G g Gᵀ for every 3×3 filter g; [3, 3, C, O] becomes [16, C, O]
//
// F(2×2, 3×3), the transform of the weights, at load (Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural
// Networks"). One invocation: four filters.
//
// ports   a_at (operand_a)   store (store)   flat_index (grid)
// consts  WG

struct Params { count: u32 } // vec4 in a tap: C * O / 4

fn taps(row: u32, i: u32) -> mat3x4f {
  let at = 3u * row * params.count + i;
  return mat3x4f(a_at(at, 4u), a_at(at + params.count, 4u), a_at(at + 2u * params.count, 4u));
}

fn store_row(row: u32, i: u32, g: mat3x4f) {
  let at = 4u * row * params.count + i;
  store(at, g[0], 4u);
  store(at + params.count, 0.5 * (g[0] + g[1] + g[2]), 4u);
  store(at + 2u * params.count, 0.5 * (g[0] - g[1] + g[2]), 4u);
  store(at + 3u * params.count, g[2], 4u);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i >= params.count { return; }
  let g0 = taps(0u, i);
  let g1 = taps(1u, i);
  let g2 = taps(2u, i);
  store_row(0u, i, g0);
  store_row(1u, i, 0.5 * (g0 + g1 + g2));
  store_row(2u, i, 0.5 * (g0 - g1 + g2));
  store_row(3u, i, g2);
}
