// attention_subgroups: output = softmax(query · keyᵀ * scale + bias + causal mask) · value, per head
//
// For software adapters with subgroups. A workgroup is one subgroup, and takes ROWS queries of one head. It goes through the keys
// 4 * LANES at a time. An invocation computes the scores of four of these keys, and sums the elements d.. of the head (head_quads) over all
// of them: the others tell it their weights. So each element of a key and of a value is loaded once for all ROWS queries.
// Softmax is online (Milakov & Gimelshein 2018): a new maximum rescales the sums so far.
//
// ports   Params, query_start, key_start, value_start, out_start (heads)   all_biased, bias_at (score_bias)   is_seen (position)   query_at, key_at, value_at (qkv)   store, OUT_UNIT (store)
//         PerQuery, Scores, Quad, own_row, seen_from, most, oldest, all_see, add_scores, hide, highest, weights_of, sum_of, told_by, add_quad,
//         add_seen (query_rows)   Sums, scale_all, add_all, store_all (head_quads)
// consts  LANES   invocations of a subgroup
enable subgroups;


fn seen_scores(scores: vec4f, bias: u32, key: u32, seen: u32) -> vec4f {
  return select(vec4f(HIDDEN), all_biased(scores * params.scale, bias, key), is_seen(vec4u(key) + vec4u(0u, 1u, 2u, 3u), seen));
}

fn weighted(sum: vec4f, weights: vec4f, values: mat4x4f) -> vec4f {
  let half = fma(values[1], vec4f(weights.y), fma(values[0], vec4f(weights.x), sum));
  return fma(values[3], vec4f(weights.w), fma(values[2], vec4f(weights.z), half));
}

// Four elements, from d on, of four values, which begin at `starts`. `all`: every query sees them.
fn add_four(sum: Quad, weights: Scores, starts: vec4u, d: u32, all: bool) -> Quad {
  let values = mat4x4f(value_at(starts.x, d), value_at(starts.y, d), value_at(starts.z, d), value_at(starts.w, d));
  if all { return add_quad(sum, weights, values); }
  return add_seen(sum, weights, values);
}

fn store_row(v: vec4f, start: u32, d: u32) {
  if d < params.head_size { store((start + d) / OUT_UNIT, v, params.head_size - d); }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let blocks = (params.queries + ROWS - 1u) / ROWS;
  let i = group.x + group.y * groups.x;
  if i >= blocks * params.heads * params.batches { return; }
  let first = i % blocks * ROWS;
  let head = i / blocks % params.heads;
  let batch = i / blocks / params.heads;
  let k = key_start(batch, head);
  let v = value_start(batch, head);
  let q = query_start(batch, min(first + own_row(lane), params.queries - 1u), head);
  let b = bias_at(batch, first, head);
  let seen = seen_from(first);
  let end = most(seen);
  let d = 4u * QUADS * lane;

  var tops = PerQuery(LEAST);
  var totals = PerQuery(); // of this invocation's keys
  var sums = Sums();
  for (var start = oldest(seen); start < end; start += 4u * LANES) {
    let mine = start + 4u * lane;
    let ks = min(vec4u(mine) + vec4u(0u, 1u, 2u, 3u), vec4u(end - 1u)) * params.key_row + k;
    var scores = Scores();
    for (var e = 0u; e < params.head_size; e += 4u) {
      let keys = mat4x4f(key_at(ks.x, e), key_at(ks.y, e), key_at(ks.z, e), key_at(ks.w, e));
      scores = add_scores(scores, query_at(q, e), keys);
    }
    scores = hide(scores, b, mine, seen);
    let new_tops = max(tops, subgroupMax(highest(scores)));
    let shrink = exp(tops - new_tops);
    let weights = weights_of(scores, new_tops);
    tops = new_tops;
    totals = totals * shrink + sum_of(weights);
    sums = scale_all(sums, shrink);
    for (var other = 0u; other < LANES; other++) {
      let key = start + 4u * other;
      if key >= end { break; }
      let vs = min(vec4u(key) + vec4u(0u, 1u, 2u, 3u), vec4u(end - 1u)) * params.value_row + v;
      sums = add_all(sums, told_by(weights, other), vs, d, all_see(key, seen));
    }
  }
  store_all(sums, subgroupAdd(totals), first, out_start(batch, first, head), d);
}
