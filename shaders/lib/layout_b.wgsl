// The layout of B: kn is [K,N]; nk is [N,K], as PyTorch has a Linear's weight.
// block_b(k4, n4)      rows 4*k4.. and columns 4*n4.. of B; a column of the matrix is a row of B
// times_b(x, k4, n4)   four elements x of A times B, for four columns of the output
// tap_of_b()           the distance between two taps
// ports   b_at (operand_b)   scaled (group_scale)

//# kn
fn block_b(start: u32, k4: u32, n4: u32) -> mat4x4f {
  let at = start + 4u * k4 * params.ldb + n4 * (4u / B_UNIT);
  let live = params.n - 4u * n4;
  let depth = params.k - 4u * k4; // rows after the last read the last one: A is zero there
  let block = mat4x4f(
    b_at(at, live),
    b_at(at + min(1u, depth - 1u) * params.ldb, live),
    b_at(at + min(2u, depth - 1u) * params.ldb, live),
    b_at(at + min(3u, depth - 1u) * params.ldb, live),
  );
  return scaled(block, k4, n4);
}
fn times_b(x: vec4f, start: u32, k4: u32, n4: u32) -> vec4f { return block_b(start, k4, n4) * x; }
fn tap_of_b() -> u32 { return params.k * params.ldb; }

//# nk
fn columns_of_b(start: u32, k4: u32, n4: u32) -> mat4x4f {
  let at = start + k4 * (4u / B_UNIT);
  let last = params.n - 1u;
  let live = params.k - 4u * k4;
  let column = min(vec4u(4u * n4) + vec4u(0u, 1u, 2u, 3u), vec4u(last)) * params.ldb + at;
  let block = mat4x4f(b_at(column.x, live), b_at(column.y, live), b_at(column.z, live), b_at(column.w, live));
  return scaled(block, k4, n4);
}
fn block_b(start: u32, k4: u32, n4: u32) -> mat4x4f { return transpose(columns_of_b(start, k4, n4)); }
fn times_b(x: vec4f, start: u32, k4: u32, n4: u32) -> vec4f { return x * columns_of_b(start, k4, n4); }
fn tap_of_b() -> u32 { return params.k / B_UNIT; }
