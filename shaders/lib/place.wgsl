// place_of: where an index falls on an axis of `extent`: clamped to it; of signed indices, -1 is the last.

//# signed
fn place_of(index: u32, extent: u32) -> u32 {
  return u32(clamp(select(i32(index), i32(index + extent), i32(index) < 0), 0, i32(extent) - 1));
}

//# unsigned
fn place_of(index: u32, extent: u32) -> u32 { return min(index, extent - 1u); }
