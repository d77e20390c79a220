// key_of: a u32 in the order of the elements; SMALLEST: in the opposite order. Of floats NaN is the largest, and -0 is 0.
// ports   Elem (elem)
// consts  SMALLEST   FLIP (the highest bit of signed integers, which is set where they are not below zero)

fn in_order(key: u32) -> u32 { return select(key, ~key, SMALLEST); }

//# float
fn key_of(x: Elem) -> u32 {
  let bits = bitcast<u32>(f32(x));
  let ordered = select(bits | 0x80000000u, ~bits, bits > 0x80000000u);
  return in_order(select(ordered, 0xffffffffu, (bits & 0x7fffffffu) > 0x7f800000u));
}

//# integer
fn key_of(x: Elem) -> u32 { return in_order(bitcast<u32>(x) ^ FLIP); }
