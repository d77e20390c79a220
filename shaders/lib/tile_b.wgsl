// How a workgroup of gemm_tiled brings its part of B into tile_b, [part][pair along K][half, block], and multiplies with it.
// Ports: b_at (operand_b)   scaled_quad (group_scale)   of_columns (outer)
// bring_b(part, lane, start, first, left)   K4 blocks from block `first` of K on, columns from block `left` on, zeros past K's last
// add_pair(acc, a, b, c)                    acc and a pair of a row of A times the two halves of a block of B, for four columns
// tap_of_b()                                the distance between two taps

//# kn
// B is [K,N]: a half is four columns of one row of the pair.
fn bring_b(part: u32, lane: u32, start: u32, first: u32, left: u32) {
  let n4 = min(left + lane % BN4, (params.n - 1u) / 4u);
  for (var r = lane / BN4; r < 4u * K4; r += LANES / BN4) {
    let k = 4u * first + r;
    var quad = Quad();
    if k < params.k { quad = scaled_quad(b_at(start + k * params.ldb + n4 * (4u / B_UNIT), params.n - 4u * n4), k / 4u, n4); }
    tile_b[part][r / 2u][r % 2u * BN4 + lane % BN4] = quad;
  }
}
fn add_pair(acc: Sum4, a: Pair, b: Quad, c: Quad) -> Sum4 { return fma(c, vec4f(a.y), fma(b, vec4f(a.x), acc)); }
fn tap_of_b() -> u32 { return params.k * params.ldb; }

//# nk
// B is [N,K]: a half is the pair of two columns. Neighbouring invocations share two columns.
const SHARE_B = max(1u, LANES / (2u * BN4));
fn bring_b(part: u32, lane: u32, start: u32, first: u32, left: u32) {
  for (var twos = 0u; twos < 2u * BN4 * SHARE_B / LANES; twos++) {
    let two = twos * (LANES / SHARE_B) + lane / SHARE_B;
    let block = min(left + two / 2u, (params.n - 1u) / 4u);
    let column = min(4u * block + 2u * (two % 2u), params.n - 1u);
    let next = min(column + 1u, params.n - 1u);
    for (var turn = 0u; turn < K4 / SHARE_B; turn++) {
      let k4 = turn * SHARE_B + lane % SHARE_B;
      let at = first + k4;
      let live = params.k - DEPTH * at;
      let inside = DEPTH * at < params.k;
      let p = select(Quad(), scaled_quad(b_at(start + column * params.ldb + at * (DEPTH / B_UNIT), live), at, column), inside);
      let q = select(Quad(), scaled_quad(b_at(start + next * params.ldb + at * (DEPTH / B_UNIT), live), at, next), inside);
      tile_b[part][2u * k4][two % 2u * BN4 + two / 2u] = Quad(p.xy, q.xy);
      tile_b[part][2u * k4 + 1u][two % 2u * BN4 + two / 2u] = Quad(p.zw, q.zw);
    }
  }
}
fn add_pair(acc: Sum4, a: Pair, b: Quad, c: Quad) -> Sum4 { return of_columns(acc, a, b, c); }
fn tap_of_b() -> u32 { return params.k / B_UNIT; }
