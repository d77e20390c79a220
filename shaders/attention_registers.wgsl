// attention_registers: output = softmax(query · keyᵀ * scale + causal mask) · value, per head
//
// One invocation: one query, one head, 16 elements of the head; its 16 sums are a mat4x4f. Softmax is online (Milakov &
// Gimelshein 2018): keys come four at a time, the running maximum rescales what is summed so far. The scores are
// computed again for every 16 elements of the head, which is cheaper than a barrier on software adapters.
//
// ports   Elem (elem)   Params (heads)   query_at, key_at, value_at (qkv)   position_of (position)   store (store)
// consts  WG

fn add_value(sums: mat4x4f, start: u32, d: u32, weight: f32) -> mat4x4f {
  return mat4x4f(
    fma(value_at(start, d), vec4f(weight), sums[0]),
    fma(value_at(start, d + 4u), vec4f(weight), sums[1]),
    fma(value_at(start, d + 8u), vec4f(weight), sums[2]),
    fma(value_at(start, d + 12u), vec4f(weight), sums[3]),
  );
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  let blocks = (params.head_size + 15u) / 16u;
  let d = 16u * (i % blocks);
  let head = i / blocks % params.heads;
  let row = i / blocks / params.heads; // batch * queries + query
  if row >= params.batches * params.queries { return; }
  let batch = row / params.queries;
  let kv_head = head * params.kv_heads / params.heads;
  let q = row * params.query_row + params.query_column + head * params.head_size;
  let k = batch * params.keys * params.key_row + params.key_column + kv_head * params.head_size;
  let v = batch * params.keys * params.value_row + params.value_column + kv_head * params.head_size;
  let seen = select(params.keys, min(position_of(row - batch * params.queries) + 1u, params.keys), params.causal != 0u);

  var top = -3e38;
  var total = 0.0;
  var sums = mat4x4f();
  for (var j = 0u; j < seen; j += 4u) {
    let key_rows = min(vec4u(j) + vec4u(0u, 1u, 2u, 3u), vec4u(seen - 1u));
    let ks = key_rows * params.key_row + k;
    var scores = vec4f();
    for (var e = 0u; e < params.head_size; e += 4u) {
      scores += query_at(q, e) * mat4x4f(key_at(ks.x, e), key_at(ks.y, e), key_at(ks.z, e), key_at(ks.w, e));
    }
    scores = select(vec4f(-3e38), scores * params.scale, vec4u(j) + vec4u(0u, 1u, 2u, 3u) < vec4u(seen));
    let new_top = max(top, max(max(scores.x, scores.y), max(scores.z, scores.w)));
    let shrink = exp(top - new_top);
    let weights = exp(scores - new_top);
    top = new_top;
    total = total * shrink + dot(weights, vec4f(1.0));
    sums *= shrink;
    let vs = key_rows * params.value_row + v;
    sums = add_value(sums, vs.x, d, weights.x);
    sums = add_value(sums, vs.y, d, weights.y);
    sums = add_value(sums, vs.z, d, weights.z);
    sums = add_value(sums, vs.w, d, weights.w);
  }

  let out = (row * params.heads + head) * params.head_size;
  for (var e = 0u; e < 4u; e++) {
    let at = d + 4u * e;
    if at < params.head_size { store((out + at) / OUT_UNIT, sums[e] / total, params.head_size - at); }
  }
}
