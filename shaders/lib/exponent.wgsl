// overflows: whether one of the first `count` floats of a word has the exponent of infinity and NaN.

//# float32
const PER_WORD = 1u;
fn overflows(word: u32, count: u32) -> bool { return (word & 0x7f800000u) == 0x7f800000u; }

//# float16
const PER_WORD = 2u;
fn overflows(word: u32, count: u32) -> bool {
  return (word & 0x7c00u) == 0x7c00u || (count > 1u && (word & 0x7c000000u) == 0x7c000000u);
}
