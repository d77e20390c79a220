// blocks_of(i): the indices of the scales of elements 4i to 4i + 3
//
// Scales are [blocks, inner]. Element e has the scale [e / run % blocks, e % inner]. (run, blocks, inner) of a matrix
// [M,K] with a scale a row: (K, M, 1). Of [K,N] with a scale a column: (K·N, 1, N); with groups of G along K: (G·N,
// K/G, N).
// consts  BESIDE (whole)

//# whole
// `run` is a multiple of 4. BESIDE 0: inner is 1, the four have one scale. BESIDE 1: inner is a multiple of 4, they have four in a row.
struct Params { count: u32, run: u32, blocks: u32, inner: u32 }
fn blocks_of(i: u32) -> vec4u {
  let at = 4u * i;
  return vec4u(at / params.run % params.blocks * params.inner + at % params.inner) + BESIDE * vec4u(0u, 1u, 2u, 3u);
}

//# ragged
struct Params { count: u32, run: u32, blocks: u32, inner: u32 }
fn blocks_of(i: u32) -> vec4u {
  let at = vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u);
  return at / params.run % params.blocks * params.inner + at % params.inner;
}

//# strided
// Blocks along several axes: the scale is the second operand of strides.wgsl.
fn blocks_of(i: u32) -> vec4u {
  let at = offsets_of_four(4u * i);
  return vec4u(at[0].y, at[1].y, at[2].y, at[3].y);
}
