// Which scale each of the elements 4i to 4i + 3 has.
//
// `run` elements lie between one row of blocks and the next, of `blocks` rows; a row holds `inner` blocks side by side, which take
// turns by the element: rows of a matrix are (K, M, 1), its columns (K·N, 1, N), groups of G along its columns (G·N, K/G, N).
// consts  BESIDE (whole)

//# whole
// `run` is in whole vec4: the four have one scale (BESIDE 0, where `inner` is 1) or four side by side (1, `inner` in whole vec4).
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
// Blocks along several axes (strides.wgsl): the second operand is the scale.
fn blocks_of(i: u32) -> vec4u {
  return vec4u(offsets(4u * i).y, offsets(4u * i + 1u).y, offsets(4u * i + 2u).y, offsets(4u * i + 3u).y);
}
