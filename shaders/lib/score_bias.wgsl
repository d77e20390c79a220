// biased   a score with what is added to it: masks, relative positions
// bias_at  where the additions of a query begin
// over     a sum over the total of its weights; of no weight NaN, or zeros
// A key whose addition is minus infinity has weight 0, and a query that sees no other gives NaN. The lowest finite numbers are equal.
// ports   Params, start_of (heads)   Elem (elem)

fn all_biased(scores: vec4f, start: u32, key: u32) -> vec4f {
  return vec4f(biased(scores.x, start, key), biased(scores.y, start, key + 1u), biased(scores.z, start, key + 2u), biased(scores.w, start, key + 3u));
}

//# nan
fn over(sum: vec4f, total: f32) -> vec4f { return sum / total; }

//# zeros
fn over(sum: vec4f, total: f32) -> vec4f { return select(sum / total, vec4f(), total == 0.0); }

//# none
fn bias_at(batch: u32, row: u32, head: u32) -> u32 { return 0u; }
fn biased(score: f32, start: u32, key: u32) -> f32 { return score; }

//# bias
@group(0) @binding(6) var<storage, read> bias: array<Elem>;
fn bias_at(batch: u32, row: u32, head: u32) -> u32 {
  return batch * params.bias.x + row * params.bias.y + head * params.bias.z;
}
fn biased(score: f32, start: u32, key: u32) -> f32 {
  let b = f32(bias[start + min(key, params.keys - 1u) * params.bias.w]);
  let sum = score + b;
  let low = select(sum, -2.9e38, sum < -2.9e38);
  return select(low, -3.3e38, bitcast<u32>(b) == 0xff800000u);
}
