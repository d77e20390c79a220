// key_of: a u32 in the order of the logits. NaN and Infinity are UNUSABLE, above all others: no token is drawn from a line that has one.
// MASKED is -Infinity.
const UNUSABLE = 0xfffffffeu;
const MASKED = 0x007fffffu;

fn key_of(logit: f32) -> u32 {
  let bits = bitcast<u32>(logit);
  let key = select(bits | 0x80000000u, ~bits, bits > 0x80000000u); // -0 is 0
  return select(key, UNUSABLE, (key < MASKED) | (key > 0xff7fffffu));
}

fn logit_of(key: u32) -> f32 { return bitcast<f32>(select(~key, key & 0x7fffffffu, key >= 0x80000000u)); }

// exp((logit - best) / temperature): a token's probability but for a factor.
fn weight_of(key: u32, best: f32, temperature: f32) -> f32 {
  if key <= MASKED { return 0.0; }
  return exp((logit_of(key) - best) / temperature);
}

// The output of a line: the token, or NONE where no token can be drawn. `top` is the largest key.
const NONE = 0xffffffffu;
fn drawn(token: u32, top: u32) -> u32 { return select(token, NONE, top == UNUSABLE || top <= MASKED); }

// The largest float32 below x > 0: a sum exceeds it where the sum is x or more.
fn below(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) - 1u); }
