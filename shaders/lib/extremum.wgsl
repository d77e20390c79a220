// The rank of an element: argMax and argMin keep the highest. claim(index): what lanes that share a line compare, to find
// the first of the highest. claimed(): the index that the largest claim is of. spoils(): NaN, which ranks above all.
// ports   Elem (elem)   is_nan (functions)
// consts  FLIP (the highest bit of unsigned numbers: without it they are in the order of int32)

//# float
// float32 holds indices up to 2^24: -index, or for NaN 2^24 - index, which is above all others.
alias Rank = f32;
const MOST = 16777216.0;
fn spoils(x: f32) -> bool { return is_nan(vec4f(x)).x; }
fn claim(index: u32, beaten: bool, spoilt: bool) -> f32 {
  return select(select(-f32(index), -3e38, beaten), MOST - f32(index), spoilt);
}
fn claimed(highest: f32) -> u32 { return u32(select(-highest, MOST - highest, highest > 0.0)); }

//# integer
alias Rank = i32;
fn spoils(x: i32) -> bool { return false; }
fn claim(index: u32, beaten: bool, spoilt: bool) -> i32 { return select(-i32(index), -2147483647, beaten); }
fn claimed(highest: i32) -> u32 { return u32(-highest); }

//# max
fn rank(x: Elem) -> f32 { return f32(x); }

//# min
fn rank(x: Elem) -> f32 { return -f32(x); }

//# max_integer
fn rank(x: Elem) -> i32 { return bitcast<i32>(x) ^ FLIP; }

//# min_integer
fn rank(x: Elem) -> i32 { return ~(bitcast<i32>(x) ^ FLIP); }
