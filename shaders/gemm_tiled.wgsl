// gemm_tiled: C[M,N] = epilogue(Σ_tap A_tap[M,K] · B_tap[K,N]), for each of a batch of them
//
// The family for GPUs: a workgroup of 8×8 invocations computes a 64×64 tile of C, one invocation an 8×8 block of it. Tiles of
// 64×BK of A and BK×64 of B pass through workgroup memory; each invocation brings 4×4 blocks of both, so that storage
// is read once a workgroup. Ports, layout and sums as in gemm_registers_8x8.
//
// consts  BK4   depth of a tile in vec4: 2 to 8

const TILE = 16u; // blocks of 4 rows, or of 4 columns, in a tile of 64

var<workgroup> tile_a: array<vec4f, TILE * BK4 * 4u>; // [k4][block][row]: row r of the block, over k
var<workgroup> tile_b: array<vec4f, TILE * BK4 * 4u>; // [k4][block][k]: row k of the block, over n

fn block_of_a(start: u32) -> mat4x4f { return mat4x4f(tile_a[start], tile_a[start + 1u], tile_a[start + 2u], tile_a[start + 3u]); }
fn block_of_b(start: u32) -> mat4x4f { return mat4x4f(tile_b[start], tile_b[start + 1u], tile_b[start + 2u], tile_b[start + 3u]); }

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) lane: u32) {
  let k4s = (params.k + 3u) / 4u;
  let last4 = (params.n + 3u) / 4u - 1u;
  let a_start = group.z * params.a_batch;
  var b_start = group.z * params.b_batch;

  var c00 = mat4x4f();
  var c01 = mat4x4f();
  var c10 = mat4x4f();
  var c11 = mat4x4f();
  for (var tap = 0u; tap < params.taps; tap++) {
    // The 64 invocations bring 16 blocks at each of 4 depths in a go.
    let rows = rows_of_a(group.y * 64u + lane % TILE * 4u, tap);
    for (var first = 0u; first < k4s; first += BK4) {
      for (var depth = lane / TILE; depth < BK4; depth += 4u) {
        let k4 = first + depth;
        let to = (depth * TILE + lane % TILE) * 4u;
        if k4 < k4s {
          let at = rows.start + a_start + k4 * (4u / A_UNIT);
          let live = params.k - 4u * k4;
          tile_a[to] = a_at(at.x, live) * rows.inside.x;
          tile_a[to + 1u] = a_at(at.y, live) * rows.inside.y;
          tile_a[to + 2u] = a_at(at.z, live) * rows.inside.z;
          tile_a[to + 3u] = a_at(at.w, live) * rows.inside.w;
          let b = block_b(b_start, k4, min(group.x * TILE + lane % TILE, last4));
          tile_b[to] = b[0];
          tile_b[to + 1u] = b[1];
          tile_b[to + 2u] = b[2];
          tile_b[to + 3u] = b[3];
        }
      }
      workgroupBarrier();
      let depths = min(BK4, k4s - first);
      for (var depth = 0u; depth < depths; depth++) {
        let a0 = block_of_a((depth * TILE + local.y * 2u) * 4u);
        let a1 = block_of_a((depth * TILE + local.y * 2u + 1u) * 4u);
        let b0 = block_of_b((depth * TILE + local.x * 2u) * 4u);
        let b1 = block_of_b((depth * TILE + local.x * 2u + 1u) * 4u);
        c00 = outer(c00, a0, b0);
        c01 = outer(c01, a0, b1);
        c10 = outer(c10, a1, b0);
        c11 = outer(c11, a1, b1);
      }
      workgroupBarrier();
    }
    b_start += params.k * params.ldb;
  }

  let row = group.y * 64u + local.y * 8u;
  let left = group.x * TILE + local.x * 2u;
  var sums = array<vec4f, 16>(
    c00[0], c01[0], c00[1], c01[1], c00[2], c01[2], c00[3], c01[3],
    c10[0], c11[0], c10[1], c11[1], c10[2], c11[2], c10[3], c11[3],
  );
  let count = 2u * rows_from(row, 8u);
  for (var i = 0u; i < count; i++) { finish_row(row + i / 2u, left + i % 2u, group.z, sums[i]); }
}
