// The layout of B of an integer product: int8 [N,K].
// block_b(start, k4, n4)      columns 4*n4.., elements 16*k4.. of K
// times_b(x, start, k4, n4)   16 elements x of A times B, for four columns of the output
fn block_b(start: u32, k4: u32, n4: u32) -> Block {
  let column = min(vec4u(4u * n4) + vec4u(0u, 1u, 2u, 3u), vec4u(params.n - 1u)) * params.ldb + start + k4 * (DEPTH / B_UNIT);
  let live = params.k - DEPTH * k4;
  return Block(b_at(column.x, live), b_at(column.y, live), b_at(column.z, live), b_at(column.w, live));
}
fn times_b(x: vec4u, start: u32, k4: u32, n4: u32) -> vec4i { return row_times(vec4i(), x, block_b(start, k4, n4)); }
fn tap_of_b() -> u32 { return params.k / B_UNIT; }
