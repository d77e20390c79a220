// slice_of: the slice of a tensor that row `row` of `indices` names, one coordinate an axis: as counted along these axes
// ports   place_of (place)   Params (gather_nd, scatter_nd, scatter_link)
fn slice_of(row: u32) -> u32 {
  var at = 0u;
  for (var d = 0u; d < params.rank; d++) {
    let extent = params.axes[d / 4u][d % 4u];
    at = at * extent + place_of(indices[row * params.rank + d], extent);
  }
  return at;
}
