// Four rows of A at block k4 of K.
fn block_a(rows: Rows, start: u32, k4: u32) -> Block {
  let at = rows.start + start + k4 * (DEPTH / A_UNIT);
  let live = params.k - DEPTH * k4;
  return Block(
    inside_or_zero(a_at(at.x, live), rows.inside.x),
    inside_or_zero(a_at(at.y, live), rows.inside.y),
    inside_or_zero(a_at(at.z, live), rows.inside.z),
    inside_or_zero(a_at(at.w, live), rows.inside.w),
  );
}
