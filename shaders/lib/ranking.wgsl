// The rank of a logit among others as a key: keys are in the order of their logits. What no token can be drawn beside, NaN
// and Infinity, comes before all as UNUSABLE; MASKED is -Infinity.
const UNUSABLE = 0xfffffffeu;
const MASKED = 0x007fffffu;

fn key_of(logit: f32) -> u32 {
  let bits = bitcast<u32>(logit);
  let key = select(bits | 0x80000000u, ~bits, bits > 0x80000000u); // -0 is 0
  return select(key, UNUSABLE, (key < MASKED) | (key > 0xff7fffffu));
}

fn logit_of(key: u32) -> f32 { return bitcast<f32>(select(~key, key & 0x7fffffffu, key >= 0x80000000u)); }

// exp of how far a logit is below the best one, at a temperature: a token's probability but for a factor.
fn weight_of(key: u32, best: f32, temperature: f32) -> f32 {
  if key <= MASKED { return 0.0; }
  return exp((logit_of(key) - best) / temperature);
}

// What a line gives whose best token has this key.
const NONE = 0xffffffffu;
fn drawn(token: u32, top: u32) -> u32 { return select(token, NONE, top == UNUSABLE || top <= MASKED); }

// The largest number below a positive one: what is not less than x exceeds it.
fn below(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) - 1u); }
