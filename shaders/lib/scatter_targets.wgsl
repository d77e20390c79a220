// target_of: the place that update `j` of a line hits.
// ports   place_of (place)   slice_of (slices)   Params (scatter_nd, scatter_elements, scatter_link)

//# slices
// There is one line, and its places are slices.
fn target_of(line: u32, j: u32) -> u32 { return slice_of(j); }

//# elements
// The indices of a line are `stride` apart.
fn target_of(line: u32, j: u32) -> u32 {
  let start = line / params.stride * params.stride * params.length + line % params.stride;
  return place_of(indices[start + j * params.stride], params.extent);
}
