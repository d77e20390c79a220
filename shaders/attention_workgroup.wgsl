// attention_workgroup: output = softmax(query · keyᵀ * scale + bias + causal mask) · value, per head
//
// For few queries on a GPU (decode). A workgroup takes one query of one head, or SPLIT workgroups do, a part of its keys each. It
// scores tiles of LANES keys, an invocation a key. Softmax is online over the tiles (Milakov & Gimelshein 2018). Then each invocation sums four
// elements of the head over its share of the tile's values. The shares are added up at the end.
//
// ports   as attention_registers but for Sums and all_biased, and biased (score_bias) key_in, value_in (qkv)   reduce_sum, reduce_max (reducer)   leave (leave)
// consts  LANES LINES (1)   HEAD4 (vec4 in a head, rounded up to a divisor of LANES)   STEP (vec4 of a key in a turn, a divisor)
//         SPLIT   FROM_STORAGE   whether the query is read there, as the scalar units of some GPUs can, or kept in workgroup memory

const MOST = 0x7fffffffu; // turns: a bound that is a constant spares counters against endless loops
const SHARES = LANES / HEAD4;

var<workgroup> asked: array<array<vec4f, STEP>, HEAD4 / STEP>; // the query
var<workgroup> weights: array<array<f32, 4>, LANES / 4u>; // of keys
var<workgroup> parts: array<vec4f, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let wanted = group.x + group.y * groups.x;
  let i = min(wanted / SPLIT, params.heads * params.batches * params.queries - 1u);
  let part = wanted % SPLIT;
  let head = i % params.heads;
  let row = i / params.heads; // batch * queries + query
  let batch = row / params.queries;
  let query = row - batch * params.queries;
  let q = query_start(batch, query, head);
  let k = key_start(batch, head);
  let v = value_start(batch, head);
  let b = bias_at(batch, query, head);
  let seen = seen_by(query);

  let oldest = first_seen(seen);
  let span = (seen - oldest + SPLIT - 1u) / SPLIT;
  let end = min(seen, oldest + span * (part + 1u));

  let d = 4u * (lane % HEAD4); // the elements that this invocation sums, and its share of the keys
  let share = lane / HEAD4;
  if !FROM_STORAGE {
    if lane < HEAD4 { asked[lane / STEP][lane % STEP] = select(vec4f(), query_at(q, d), d < params.head_size); }
    workgroupBarrier();
  }
  var top = LEAST;
  var total = 0.0; // of this invocation's keys
  var sum = vec4f();
  for (var first = oldest + span * part; first < end; first += LANES) {
    var at = (k + min(first + lane, end - 1u) * params.key_row) / QKV_UNIT;
    var products = vec4f();
    for (var turn = 0u; turn < MOST; turn++) {
      let e = 4u * STEP * turn;
      if e >= params.head_size { break; }
      for (var s = 0u; s < STEP; s++) {
        var of_query: vec4f;
        if FROM_STORAGE { of_query = query_at(q, e + 4u * s); } else { of_query = asked[min(turn, HEAD4 / STEP - 1u)][s]; }
        products = fma(of_query, key_in(at, e + 4u * s), products);
        at += 4u / QKV_UNIT;
      }
    }
    let score = select(HIDDEN, biased(dot(products, vec4f(params.scale)), b, first + lane), first + lane < end);
    let new_top = max(top, reduce_max(vec4f(score), lane, 0u).x);
    let weight = exp(score - new_top);
    weights[lane / 4u][lane % 4u] = weight;
    let shrink = exp(top - new_top);
    total = total * shrink + weight;
    sum *= shrink;
    top = new_top;
    workgroupBarrier();
    let live = min(LANES, end - first);
    // Four keys a turn; then what is left.
    at = (v + first * params.value_row + d) / QKV_UNIT;
    let step = params.value_row / QKV_UNIT;
    for (var turn = 0u; turn < MOST; turn++) {
      let four = share + turn * SHARES;
      if 4u * four + 3u >= live { break; }
      let row = at + 4u * four * step;
      for (var s = 0u; s < 4u; s++) { sum = fma(value_in(row + s * step, d), vec4f(weights[min(four, LANES / 4u - 1u)][s]), sum); }
    }
    for (var t = live - live % 4u + share; t < live; t += SHARES) {
      sum = fma(value_in(at + t * step, d), vec4f(weights[t / 4u][t % 4u]), sum);
    }
    workgroupBarrier();
  }

  total = reduce_sum(vec4f(total), lane, 0u).x;
  parts[lane] = sum;
  workgroupBarrier();
  if share > 0u || d >= params.head_size || wanted / SPLIT != i { return; }
  for (var other = lane + HEAD4; other < LANES; other += HEAD4) { sum += parts[other]; }
  leave(i, out_start(batch, query, head), part, d, sum, top, total);
}
