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

fn row_block(at: RowAt, i: u32) -> Block {
  let rows = at.rows[i];
  let row = inside_or_zero(a_at(rows.start[own] + at.start + at.k4 * (DEPTH / A_UNIT), params.k - DEPTH * at.k4), rows.inside[own]);
  return Block(subgroupBroadcast(row, 0u), subgroupBroadcast(row, 1u), subgroupBroadcast(row, 2u), subgroupBroadcast(row, 3u));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) id: u32) {
  own = id % 4u;
  let row = group.y * 4u * ROW_BLOCKS;
  let left = (group.x * LANES + lane) * COLUMN_BLOCKS;
  let tile = tile_at(row, left, group.z); // also past the last column: for the rows that it reads
  if left <= last_column() { finish_tile(row, left, group.z, tile); }
}
