// attention_group: output = softmax(query · keyᵀ * scale + bias + causal mask) · value, per head
//
// For few queries on a GPU (decode) where several heads share one head of keys and values. A workgroup takes one query of four such
// heads, or SPLIT workgroups do, a part of its keys each: a key and a value are read once for the four. It scores tiles of LANES keys, an
// invocation a key. Softmax is online over the tiles (Milakov & Gimelshein 2018). Then each invocation sums four elements of the heads over
// its share of the tile's values. The shares are added up at the end.
//
// ports   as attention_registers but for Sums and all_biased, and biased (score_bias) key_in, value_in (qkv)   reduce_sum, reduce_max (reducer)   leave (leave)
// consts  LANES LINES (1)   HEAD4 (vec4 in a head, rounded up to a divisor of LANES)   STEP (vec4 of a key in a turn, a divisor)   SPLIT

const MOST = 0x7fffffffu; // turns: a bound that is a constant spares counters against endless loops
const SHARES = LANES / HEAD4;

var<workgroup> asked: array<array<mat4x4f, STEP>, HEAD4 / STEP>; // four elements of the query, for each head
var<workgroup> weights: array<array<vec4f, 4>, LANES / 4u>; // of keys, for each head
var<workgroup> parts: array<mat4x4f, LANES>;

fn add_value(sums: mat4x4f, value: vec4f, weight: vec4f) -> mat4x4f {
  return mat4x4f(
    fma(value, vec4f(weight.x), sums[0]),
    fma(value, vec4f(weight.y), sums[1]),
    fma(value, vec4f(weight.z), sums[2]),
    fma(value, vec4f(weight.w), sums[3]),
  );
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let sharing = params.heads / params.kv_heads;
  let fours = (sharing + 3u) / 4u;
  let wanted = group.x + group.y * groups.x;
  let i = min(wanted / SPLIT, params.kv_heads * fours * params.batches * params.queries - 1u);
  let part = wanted % SPLIT;
  let row = i / fours / params.kv_heads; // batch * queries + query
  let kv_head = i / fours % params.kv_heads;
  let first_head = kv_head * sharing + 4u * (i % fours);
  let heads = min(vec4u(first_head) + vec4u(0u, 1u, 2u, 3u), vec4u(kv_head * sharing + sharing - 1u)); // the last of them repeats
  let batch = row / params.queries;
  let query = row - batch * params.queries;
  let k = key_start(batch, first_head);
  let v = value_start(batch, first_head);
  let seen = seen_by(query);

  let oldest = first_seen(seen);
  let span = (seen - oldest + SPLIT - 1u) / SPLIT;
  let end = min(seen, oldest + span * (part + 1u));

  let d = 4u * (lane % HEAD4); // the elements that this invocation sums, and its share of the keys
  let share = lane / HEAD4;
  if lane < HEAD4 {
    var own = mat4x4f();
    if d < params.head_size {
      own = mat4x4f(
        query_at(query_start(batch, query, heads.x), d),
        query_at(query_start(batch, query, heads.y), d),
        query_at(query_start(batch, query, heads.z), d),
        query_at(query_start(batch, query, heads.w), d),
      );
    }
    asked[lane / STEP][lane % STEP] = own;
  }
  workgroupBarrier();
  var tops = vec4f(LEAST);
  var totals = vec4f(); // of this invocation's keys
  var sums = mat4x4f();
  for (var first = oldest + span * part; first < end; first += LANES) {
    var at = (k + min(first + lane, end - 1u) * params.key_row) / QKV_UNIT;
    var scores = vec4f();
    for (var turn = 0u; turn < MOST; turn++) {
      let e = 4u * STEP * turn;
      if e >= params.head_size { break; }
      for (var s = 0u; s < STEP; s++) {
        scores += key_in(at, e + 4u * s) * asked[min(turn, HEAD4 / STEP - 1u)][s];
        at += 4u / QKV_UNIT;
      }
    }
    scores *= params.scale;
    let live = min(LANES, end - first);
    let key = first + lane;
    scores = select(
      vec4f(HIDDEN),
      vec4f(
        biased(scores.x, bias_at(batch, query, heads.x), key),
        biased(scores.y, bias_at(batch, query, heads.y), key),
        biased(scores.z, bias_at(batch, query, heads.z), key),
        biased(scores.w, bias_at(batch, query, heads.w), key),
      ),
      lane < live,
    );
    let new_tops = max(tops, reduce_max(scores, lane, 0u));
    let own = exp(scores - new_tops);
    weights[lane / 4u][lane % 4u] = own;
    let shrink = exp(tops - new_tops);
    totals = totals * shrink + own;
    sums = mat4x4f(sums[0] * shrink.x, sums[1] * shrink.y, sums[2] * shrink.z, sums[3] * shrink.w);
    tops = new_tops;
    workgroupBarrier();
    // Four keys a turn; then what is left.
    at = (v + first * params.value_row + d) / QKV_UNIT;
    let step = params.value_row / QKV_UNIT;
    for (var turn = 0u; turn < MOST; turn++) {
      let four = share + turn * SHARES;
      if 4u * four + 3u >= live { break; }
      let row = at + 4u * four * step;
      for (var s = 0u; s < 4u; s++) { sums = add_value(sums, value_in(row + s * step, d), weights[min(four, LANES / 4u - 1u)][s]); }
    }
    for (var t = live - live % 4u + share; t < live; t += SHARES) {
      sums = add_value(sums, value_in(at + t * step, d), weights[t / 4u][t % 4u]);
    }
    workgroupBarrier();
  }

  totals = reduce_sum(totals, lane, 0u);
  parts[lane] = sums;
  workgroupBarrier();
  if share > 0u || d >= params.head_size || wanted / SPLIT != i { return; }
  for (var other = lane + HEAD4; other < LANES; other += HEAD4) { sums += parts[other]; }
  for (var h = 0u; h < 4u; h++) {
    if 4u * (i % fours) + h >= sharing { break; }
    let head = first_head + h;
    leave(row * params.heads + head, out_start(batch, query, head), part, d, sums[h], tops[h], totals[h]);
  }
}
