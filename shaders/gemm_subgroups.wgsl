// gemm_subgroups: C[M,N] = epilogue(Σ_tap A_tap[M,K] · B_tap[K,N]), for each of a batch of them
//
// gemm_registers where the invocations of a subgroup read A for one another. A workgroup computes as many tiles as it has
// invocations, side by side, so all of it wants the same rows of A: of each four rows an invocation reads one and is told the other
// three. Loads are what software adapters spend their time on, a scalar at a time; this takes away three quarters of those of A.
// Nothing is assumed of a subgroup but that it has four invocations or more. Ports, layout and sums as in gemm_registers.
//
// consts  LANES   invocations a workgroup, a multiple of 4
enable subgroups;

var<private> own: u32; // which of four rows this invocation reads

struct RowAt { rows: array<Rows, ROW_BLOCKS>, start: u32, k4: u32 }
fn row_block(at: RowAt, i: u32) -> mat4x4f {
  let rows = at.rows[i];
  let row = a_at(rows.start[own] + at.start + at.k4 * (4u / A_UNIT), params.k - 4u * at.k4) * rows.inside[own];
  return mat4x4f(subgroupBroadcast(row, 0u), subgroupBroadcast(row, 1u), subgroupBroadcast(row, 2u), subgroupBroadcast(row, 3u));
}

struct ColumnAt { start: u32, k4: u32, left: u32, last: u32 }
fn column_block(at: ColumnAt, i: u32) -> mat4x4f { return block_b(at.start, at.k4, min(at.left + i, at.last)); }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) id: u32) {
  own = id % 4u;
  let row = group.y * 4u * ROW_BLOCKS;
  let last = (params.n + 3u) / 4u - 1u;
  let left = (group.x * LANES + lane) * COLUMN_BLOCKS; // past the last: computes what it does, for the rows it reads
  let a_start = group.z * params.a_batch;
  var b_start = group.z * params.b_batch;

  var tile = Tile();
  for (var tap = 0u; tap < params.taps; tap++) {
    let rows = rows_of_tile(row, tap);
    for (var k4 = 0u; 4u * k4 < params.k; k4++) {
      tile = add_tile(tile, RowAt(rows, a_start, k4), strip_of_b(ColumnAt(b_start, k4, left, last)));
    }
    b_start += params.k * params.ldb;
  }
  if left > last { return; }

  var sums = sums_of_tile(tile);
  let count = COLUMN_BLOCKS * rows_from(row, 4u * ROW_BLOCKS);
  const STRIP = 4u * COLUMN_BLOCKS;
  for (var i = 0u; i < count; i++) {
    finish_row(row + i / COLUMN_BLOCKS, left + i % COLUMN_BLOCKS, group.z, sums[i / STRIP][i % STRIP]);
  }
}
