// attention_registers: output = softmax(query · keyᵀ * scale + bias + causal mask) · value, per head
//
// For software adapters. One invocation: one query, one head, WIDTH elements of the head. It reads four keys at a time.
// Softmax is online (Milakov & Gimelshein 2018): a new maximum rescales the sums so far. A head wider than WIDTH is
// several invocations, and each computes the scores: that costs less than a barrier there.
//
// ports   Params, query_start, key_start, value_start, out_start (heads)   all_biased, bias_at, over (score_bias)   value_at, query_at, key_at (qkv)   seen_by, first_seen (position)   store (store)
//         Sums, add_values, store_sums (head_sums)   flat_index (grid)
// consts  WG

fn four_values(starts: vec4u, d: u32) -> mat4x4f {
  return mat4x4f(value_at(starts.x, d), value_at(starts.y, d), value_at(starts.z, d), value_at(starts.w, d));
}

// The sums of 16 elements times `shrink`, plus four weighted values, which begin at `starts`.
fn add_16(sums: mat4x4f, shrink: f32, starts: vec4u, d: u32, weights: vec4f) -> mat4x4f {
  return mat4x4f(
    fma(vec4f(shrink), sums[0], four_values(starts, d) * weights),
    fma(vec4f(shrink), sums[1], four_values(starts, d + 4u) * weights),
    fma(vec4f(shrink), sums[2], four_values(starts, d + 8u) * weights),
    fma(vec4f(shrink), sums[3], four_values(starts, d + 12u) * weights),
  );
}

fn store_16(sums: mat4x4f, total: f32, at: u32, first: u32) {
  var quarters = sums;
  for (var e = 0u; e < 4u; e++) {
    let d = first + 4u * e;
    if d < params.head_size { store((at + d) / OUT_UNIT, over(quarters[e], total), params.head_size - d); }
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  let parts = (params.head_size + WIDTH - 1u) / WIDTH;
  let d = WIDTH * (i % parts);
  let head = i / parts % params.heads;
  let row = i / parts / params.heads; // batch * queries + query
  if row >= params.batches * params.queries { return; }
  let batch = row / params.queries;
  let query = row - batch * params.queries;
  let q = query_start(batch, query, head);
  let k = key_start(batch, head);
  let v = value_start(batch, head);
  let b = bias_at(batch, query, head);
  let seen = seen_by(query);

  var top = LEAST;
  var total = 0.0;
  var sums = Sums();
  for (var j = first_seen(seen); j < seen; j += 4u) {
    let key_rows = min(vec4u(j) + vec4u(0u, 1u, 2u, 3u), vec4u(seen - 1u));
    let ks = key_rows * params.key_row + k;
    var scores = vec4f();
    for (var e = 0u; e < params.head_size; e += 4u) {
      scores += query_at(q, e) * mat4x4f(key_at(ks.x, e), key_at(ks.y, e), key_at(ks.z, e), key_at(ks.w, e));
    }
    scores = select(vec4f(HIDDEN), all_biased(scores * params.scale, b, j), vec4u(j) + vec4u(0u, 1u, 2u, 3u) < vec4u(seen));
    let new_top = max(top, max(max(scores.x, scores.y), max(scores.z, scores.w)));
    let shrink = exp(top - new_top);
    let weights = exp(scores - new_top);
    top = new_top;
    total = total * shrink + dot(weights, vec4f(1.0));
    sums = add_values(sums, shrink, key_rows * params.value_row + v, d, weights);
  }

  store_sums(sums, total, out_start(batch, query, head), d);
}
