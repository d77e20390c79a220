// The queries that a workgroup of attention_subgroups takes, 1 or 4, and what an invocation holds of each.
// PerQuery   a number            Scores   of four keys; then their weights
// Quad       sums of four elements of the head
// all_see    whether every query sees four keys, as far as there are so many
// ports   Params, out_row (heads)   seen_by, first_seen (position)   over, bias_below (score_bias)   seen_scores, weighted, store_row (attention_subgroups)

//# 1
const ROWS = 1u;
alias Seen = u32; // keys that the query sees
alias PerQuery = f32;
alias Scores = vec4f;
alias Quad = vec4f;

fn seen_from(first: u32) -> Seen { return seen_by(first); }
fn most(seen: Seen) -> u32 { return seen; }
fn oldest(seen: Seen) -> u32 { return first_seen(seen); }
fn all_see(key: u32, seen: Seen) -> bool { return true; }
fn own_row(lane: u32) -> u32 { return 0u; }
fn add_scores(scores: Scores, query: vec4f, keys: mat4x4f) -> Scores { return scores + query * keys; }
fn hide(scores: Scores, bias: u32, key: u32, seen: Seen) -> Scores { return seen_scores(scores, bias, key, seen); }
fn highest(scores: Scores) -> PerQuery { return max(max(scores.x, scores.y), max(scores.z, scores.w)); }
fn weights_of(scores: Scores, tops: PerQuery) -> Scores { return exp(scores - tops); }
fn sum_of(weights: Scores) -> PerQuery { return dot(weights, vec4f(1.0)); }
fn told_by(weights: Scores, lane: u32) -> Scores { return subgroupShuffle(weights, lane); }
fn scale_quad(sum: Quad, shrink: PerQuery) -> Quad { return sum * shrink; }
fn add_quad(sum: Quad, weights: Scores, values: mat4x4f) -> Quad { return weighted(sum, weights, values); }
fn add_seen(sum: Quad, weights: Scores, values: mat4x4f) -> Quad { return add_quad(sum, weights, values); }
fn store_quad(sum: Quad, totals: PerQuery, first: u32, start: u32, d: u32) { store_row(over(sum, totals), start, d); }

//# 4
const ROWS = 4u;
alias Seen = vec4u; // keys that each query sees
alias PerQuery = vec4f;
alias Scores = mat4x4f; // [query]
alias Quad = mat4x4f; // [query]

fn seen_from(first: u32) -> Seen { return vec4u(seen_by(first), seen_by(first + 1u), seen_by(first + 2u), seen_by(first + 3u)); }
fn most(seen: Seen) -> u32 { return max(max(seen.x, seen.y), max(seen.z, seen.w)); }
fn oldest(seen: Seen) -> u32 { return first_seen(min(min(seen.x, seen.y), min(seen.z, seen.w))); }
fn all_see(key: u32, seen: Seen) -> bool {
  return key + 4u <= min(min(seen.x, seen.y), min(seen.z, seen.w)) && key >= first_seen(most(seen));
}
// An invocation reads one query, and is told the other three.
fn own_row(lane: u32) -> u32 { return lane % 4u; }
fn add_scores(scores: Scores, query: vec4f, keys: mat4x4f) -> Scores {
  return Scores(
    scores[0] + subgroupBroadcast(query, 0u) * keys,
    scores[1] + subgroupBroadcast(query, 1u) * keys,
    scores[2] + subgroupBroadcast(query, 2u) * keys,
    scores[3] + subgroupBroadcast(query, 3u) * keys,
  );
}
fn hide(scores: Scores, bias: u32, key: u32, seen: Seen) -> Scores {
  return Scores(
    seen_scores(scores[0], bias, key, seen.x),
    seen_scores(scores[1], bias_below(bias, 1u), key, seen.y),
    seen_scores(scores[2], bias_below(bias, 2u), key, seen.z),
    seen_scores(scores[3], bias_below(bias, 3u), key, seen.w),
  );
}
fn highest(scores: Scores) -> PerQuery {
  let by_key = transpose(scores);
  return max(max(by_key[0], by_key[1]), max(by_key[2], by_key[3]));
}
fn weights_of(scores: Scores, tops: PerQuery) -> Scores {
  return Scores(exp(scores[0] - tops.x), exp(scores[1] - tops.y), exp(scores[2] - tops.z), exp(scores[3] - tops.w));
}
fn sum_of(weights: Scores) -> PerQuery { return vec4f(1.0) * weights; }
fn told_by(weights: Scores, lane: u32) -> Scores {
  return Scores(
    subgroupShuffle(weights[0], lane),
    subgroupShuffle(weights[1], lane),
    subgroupShuffle(weights[2], lane),
    subgroupShuffle(weights[3], lane),
  );
}
fn scale_quad(sum: Quad, shrink: PerQuery) -> Quad {
  return Quad(sum[0] * shrink.x, sum[1] * shrink.y, sum[2] * shrink.z, sum[3] * shrink.w);
}
fn add_quad(sum: Quad, weights: Scores, values: mat4x4f) -> Quad {
  return Quad(
    weighted(sum[0], weights[0], values),
    weighted(sum[1], weights[1], values),
    weighted(sum[2], weights[2], values),
    weighted(sum[3], weights[3], values),
  );
}
// The same where some query does not see some of the keys: zero times their values may be NaN.
fn add_seen(sum: Quad, weights: Scores, values: mat4x4f) -> Quad {
  var sums = sum;
  var shares = weights;
  var rows = values;
  for (var r = 0u; r < 4u; r++) {
    for (var j = 0u; j < 4u; j++) {
      if shares[r][j] != 0.0 { sums[r] += shares[r][j] * rows[j]; }
    }
  }
  return sums;
}
fn store_quad(sum: Quad, totals: PerQuery, first: u32, start: u32, d: u32) {
  var sums = sum;
  var whole = totals;
  let count = min(4u, params.queries - first);
  for (var r = 0u; r < count; r++) { store_row(over(sums[r], whole[r]), start + r * out_row(), d); }
}
