// attention_workgroup: output = softmax(query · keyᵀ * scale + causal mask) · value, per head
//
// For few queries on a GPU (decode). A workgroup takes one query of one head. It scores tiles of LANES keys, an
// invocation a key. Softmax is online over the tiles (Milakov & Gimelshein 2018). Then each invocation sums four
// elements of the head over its share of the tile's values. The shares are added up at the end.
//
// ports   as attention_registers but for Sums, and reduce_sum, reduce_max (reducer)
// consts  LANES LINES (1)   HEAD4 (vec4 in a head, rounded up to a divisor of LANES)

var<workgroup> weights: array<f32, LANES>;
var<workgroup> parts: array<vec4f, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let wanted = group.x + group.y * groups.x;
  let i = min(wanted, params.heads * params.batches * params.queries - 1u);
  let head = i % params.heads;
  let row = i / params.heads; // batch * queries + query
  let batch = row / params.queries;
  let kv_head = head * params.kv_heads / params.heads;
  let q = row * params.query_row + params.query_column + head * params.head_size;
  let k = batch * params.keys * params.key_row + params.key_column + kv_head * params.head_size;
  let v = batch * params.keys * params.value_row + params.value_column + kv_head * params.head_size;
  let seen = select(params.keys, min(position_of(row - batch * params.queries) + 1u, params.keys), params.causal != 0u);

  let d = 4u * (lane % HEAD4); // the elements that this invocation sums, and its share of the keys
  let share = lane / HEAD4;
  var top = -3e38;
  var total = 0.0; // of this invocation's keys
  var sum = vec4f();
  for (var first = 0u; first < seen; first += LANES) {
    let j = min(first + lane, seen - 1u);
    var score = 0.0;
    for (var e = 0u; e < params.head_size; e += 4u) {
      score += dot(query_at(q, e), key_at(k + j * params.key_row, e));
    }
    score = select(-3e38, score * params.scale, first + lane < seen);
    let new_top = max(top, reduce_max(vec4f(score), lane, 0u).x);
    let weight = exp(score - new_top);
    weights[lane] = weight;
    let shrink = exp(top - new_top);
    total = total * shrink + weight;
    sum *= shrink;
    top = new_top;
    workgroupBarrier();
    let live = min(LANES, seen - first);
    for (var t = share; t < live; t += LANES / HEAD4) {
      sum = fma(value_at(v + (first + t) * params.value_row, d), vec4f(weights[t]), sum);
    }
    workgroupBarrier();
  }

  total = reduce_sum(vec4f(total), lane, 0u).x;
  parts[lane] = sum;
  workgroupBarrier();
  if share > 0u || d >= params.head_size || wanted != i { return; }
  for (var other = lane + HEAD4; other < LANES; other += HEAD4) { sum += parts[other]; }
  store(((row * params.heads + head) * params.head_size + d) / OUT_UNIT, sum / total, params.head_size - d);
}
