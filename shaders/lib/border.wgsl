// border: the coordinate in 0..extent-1 to read for x beyond them; -1 stands for the fill value.

//# constant
fn border(x: i32, extent: i32) -> i32 { return select(-1, x, x >= 0 && x < extent); }

//# edge
fn border(x: i32, extent: i32) -> i32 { return clamp(x, 0, extent - 1); }

//# reflection
fn border(x: i32, extent: i32) -> i32 {
  let y = abs(x);
  return select(y, 2 * (extent - 1) - y, y >= extent);
}

//# symmetric
fn border(x: i32, extent: i32) -> i32 {
  let y = select(x, -1 - x, x < 0);
  return select(y, 2 * extent - 1 - y, y >= extent);
}

//# repeat
fn border(x: i32, extent: i32) -> i32 { return x % extent; }
