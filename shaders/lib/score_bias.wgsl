// biased   a score with what is added to it: masks, relative positions
// bias_at  where the additions of a query begin; bias_below: those of one `rows` further
// capped   a score, before what is added: as it is, or drawn towards zero, so that it stays within SOFTCAP
// over     a sum over the total of its weights; of no weight NaN, or zeros
// A key whose addition is minus infinity has weight 0, and a query that sees no other gives NaN. The lowest finite numbers are equal.
// ports   Params (heads)   Elem (elem)
// consts  SOFTCAP

fn all_biased(scores: vec4f, start: u32, key: u32) -> vec4f {
  return vec4f(biased(scores.x, start, key), biased(scores.y, start, key + 1u), biased(scores.z, start, key + 2u), biased(scores.w, start, key + 3u));
}

//# free
fn capped(score: f32) -> f32 { return score; }

//# softcap
// tanh overflows on some drivers; it is 1 in float32 beyond 10.
fn capped(score: f32) -> f32 { return select(SOFTCAP * tanh(clamp(score / SOFTCAP, -10.0, 10.0)), score, score != score); }

//# nan
fn over(sum: vec4f, total: f32) -> vec4f { return sum / total; }

//# zeros
fn over(sum: vec4f, total: f32) -> vec4f { return select(sum / total, vec4f(), total == 0.0); }

//# none
fn bias_at(batch: u32, row: u32, head: u32) -> u32 { return 0u; }
fn bias_below(start: u32, rows: u32) -> u32 { return 0u; }
fn biased(score: f32, start: u32, key: u32) -> f32 { return capped(score); }

//# bias
struct Bias { bias_batch: u32, bias_head: u32, bias_row: u32, bias_key: u32 } // from one to the next; 0 where all have the same
@group(0) @binding(6) var<storage, read> bias: array<Elem>;
fn bias_at(batch: u32, row: u32, head: u32) -> u32 {
  return batch * steps.bias_batch + head * steps.bias_head + row * steps.bias_row;
}
fn bias_below(start: u32, rows: u32) -> u32 { return start + rows * steps.bias_row; }
fn biased(score: f32, start: u32, key: u32) -> f32 {
  let b = f32(bias[start + min(key, params.keys - 1u) * steps.bias_key]);
  let sum = capped(score) + b;
  let low = select(sum, -2.9e38, sum < -2.9e38);
  return select(low, -3.3e38, bitcast<u32>(b) == 0xff800000u);
}
