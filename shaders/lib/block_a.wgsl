// Four rows of A at vec4 column k4, a column of the matrix per row of A.
fn block_a(rows: Rows, start: u32, k4: u32) -> mat4x4f {
  let at = rows.start + start + k4 * (4u / A_UNIT);
  let live = params.k - 4u * k4;
  return mat4x4f(
    a_at(at.x, live) * rows.inside.x,
    a_at(at.y, live) * rows.inside.y,
    a_at(at.z, live) * rows.inside.z,
    a_at(at.w, live) * rows.inside.w,
  );
}
