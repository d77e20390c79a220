// attention_tiled: output = softmax(query · keyᵀ * scale + bias + causal mask) · value, per head
//
// For many queries on a GPU (prefill), after FlashAttention (Dao et al. 2022). A workgroup takes QUERIES queries of one head, and
// goes through the keys a tile of KEYS at a time. A tile is two products, each as gemm_tiled computes one:
//
//   scores[QUERIES, KEYS] = query · keyᵀ      online softmax      sums[QUERIES, head] += weights · value
//
// Invocation (x, y) has the same ROWS queries in both, from ROWS·y on: against keys 4x..4x+3 of the tile, and elements 4x..4x+3 of
// the head, which has 64 at the most. What the products read passes through workgroup memory in rounds of PAIRS pairs, of elements
// of the head in the first, of keys in the second.
//
// ports   Elem (elem)   Params, query_start, key_start, value_start, out_start, out_row (heads)   all_biased, bias_at, over (score_bias)   query_at, key_at, value_at (qkv)   seen_by, first_of, is_seen (position)   store (store)
// consts  ROWS (2, 4)   TURN   pairs in a turn of a loop

const WG_X = 16u;
const WG_Y = 16u;
const QUERIES = ROWS * WG_Y;
const KEYS = 4u * WG_X;
const PAIRS = 8u;
const MOST = 0x7fffffffu; // turns: a bound that is a constant spares counters against endless loops

alias Lines = array<vec4f, ROWS>; // of each query: keys, or elements
alias Each = array<f32, ROWS>; // of each query
alias Twos = array<array<vec4f, ROWS / 2u>, WG_Y>; // [y][two queries]: a pair of each

var<workgroup> rows: array<Twos, PAIRS>; // pairs of elements
var<workgroup> columns: array<array<vec4f, 2u * WG_X>, PAIRS>; // [pair of elements][half, x]: of two keys; [pair of keys][which, x]: four elements
var<workgroup> weights: array<Twos, KEYS / 2u>; // pairs of keys
var<workgroup> shares: array<array<Each, WG_X>, WG_Y>; // [y][x]

fn highest(v: vec4f) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }

@compute @workgroup_size(WG_X, WG_Y)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let tiles = (params.queries + QUERIES - 1u) / QUERIES;
  let i = group.x + group.y * groups.x;
  if i >= tiles * params.heads * params.batches { return; }
  let first = i % tiles * QUERIES;
  let head = i / tiles % params.heads;
  let batch = i / tiles / params.heads;
  let q = query_start(batch, 0u, head);
  let k = key_start(batch, head);
  let v = value_start(batch, head);
  let out = out_start(batch, 0u, head);
  var end = 0u; // of the keys that some query of the workgroup sees
  for (var query = first; query < min(first + QUERIES, params.queries); query++) { end = max(end, seen_by(query)); }
  let oldest = first_of(first, min(first + QUERIES, params.queries)); // the first of them

  let mine = first + ROWS * local.y;
  var tops: Each;
  for (var r = 0u; r < ROWS; r++) { tops[r] = LEAST; }
  var totals = Each(); // of this invocation's keys
  var sums = Lines();
  for (var start = oldest; start < MOST; start += KEYS) {
    if start >= end { break; }
    var scores = Lines();
    for (var d = 0u; d < MOST; d += 2u * PAIRS) {
      if d >= params.head_size { break; }
      // This invocation brings four elements of two keys, or of two queries.
      let quad = local.x % 4u;
      let two = 4u * local.y + local.x / 4u;
      let e = d + 4u * quad;
      var a = vec4f();
      var b = vec4f();
      if two < KEYS / 2u {
        if e < params.head_size {
          a = key_at(k + min(start + 2u * two, params.keys - 1u) * params.key_row, e);
          b = key_at(k + min(start + 2u * two + 1u, params.keys - 1u) * params.key_row, e);
        }
        columns[2u * quad][two % 2u * WG_X + two / 2u] = vec4f(a.xy, b.xy);
        columns[2u * quad + 1u][two % 2u * WG_X + two / 2u] = vec4f(a.zw, b.zw);
      } else if two < (KEYS + QUERIES) / 2u {
        let row = two - KEYS / 2u;
        if e < params.head_size {
          a = query_at(q + min(first + 2u * row, params.queries - 1u) * params.query_row, e);
          b = query_at(q + min(first + 2u * row + 1u, params.queries - 1u) * params.query_row, e);
        }
        rows[2u * quad][row / (ROWS / 2u)][row % (ROWS / 2u)] = vec4f(a.xy, b.xy);
        rows[2u * quad + 1u][row / (ROWS / 2u)][row % (ROWS / 2u)] = vec4f(a.zw, b.zw);
      }
      workgroupBarrier();
      let of_head = (min(params.head_size, d + 2u * PAIRS) - d + 1u) / 2u;
      for (var i = 0u; i < MOST; i++) {
        if TURN * i >= of_head { break; }
        for (var j = 0u; j < TURN; j++) {
          let pair = TURN * min(i, PAIRS / TURN - 1u) + j; // tells compilers its range: addresses need no further instructions
          let b = columns[pair][local.x];
          let c = columns[pair][local.x + WG_X];
          for (var r = 0u; r < ROWS; r += 2u) {
            let a = rows[pair][local.y][r / 2u];
            scores[r] = fma(vec4f(b.yw, c.yw), vec4f(a.y), fma(vec4f(b.xz, c.xz), vec4f(a.x), scores[r]));
            scores[r + 1u] = fma(vec4f(b.yw, c.yw), vec4f(a.w), fma(vec4f(b.xz, c.xz), vec4f(a.z), scores[r + 1u]));
          }
        }
      }
      workgroupBarrier();
    }

    for (var r = 0u; r < ROWS; r++) {
      let live = is_seen(vec4u(start + 4u * local.x) + vec4u(0u, 1u, 2u, 3u), seen_by(mine + r));
      let with_bias = all_biased(scores[r] * params.scale, bias_at(batch, min(mine + r, params.queries - 1u), head), start + 4u * local.x);
      scores[r] = select(vec4f(HIDDEN), with_bias, live);
      shares[local.y][local.x][r] = highest(scores[r]);
    }
    workgroupBarrier();
    var new_tops = tops;
    let wide = (min(end, start + KEYS) - start + 3u) / 4u; // invocations that have keys
    for (var x = 0u; x < MOST; x++) {
      if x >= wide { break; }
      for (var r = 0u; r < ROWS; r++) { new_tops[r] = max(new_tops[r], shares[local.y][x][r]); }
    }
    for (var r = 0u; r < ROWS; r++) {
      let shrink = exp(tops[r] - new_tops[r]);
      tops[r] = new_tops[r];
      scores[r] = exp(scores[r] - tops[r]);
      totals[r] = totals[r] * shrink + dot(scores[r], vec4f(1.0));
      sums[r] *= shrink;
    }
    for (var r = 0u; r < ROWS; r += 2u) {
      weights[2u * local.x][local.y][r / 2u] = vec4f(scores[r].xy, scores[r + 1u].xy);
      weights[2u * local.x + 1u][local.y][r / 2u] = vec4f(scores[r].zw, scores[r + 1u].zw);
    }

    for (var pairs = 0u; pairs < KEYS / 2u; pairs += PAIRS) {
      if start + 2u * pairs >= end { break; }
      let key = start + 2u * pairs + local.y;
      var a = vec4f();
      if key < end { a = value_at(v + key * params.value_row, min(4u * local.x, params.head_size - 1u)); }
      columns[local.y / 2u][local.y % 2u * WG_X + local.x] = a;
      workgroupBarrier();
      let of_keys = (min(end, start + 2u * (pairs + PAIRS)) - start - 2u * pairs + 1u) / 2u;
      for (var i = 0u; i < MOST; i++) {
        if TURN * i >= of_keys { break; }
        for (var j = 0u; j < TURN; j++) {
          let pair = TURN * min(i, PAIRS / TURN - 1u) + j;
          let b = columns[pair][local.x];
          let c = columns[pair][local.x + WG_X];
          for (var r = 0u; r < ROWS; r += 2u) {
            let a = weights[pairs + pair][local.y][r / 2u];
            sums[r] = fma(c, vec4f(a.y), fma(b, vec4f(a.x), sums[r]));
            sums[r + 1u] = fma(c, vec4f(a.w), fma(b, vec4f(a.z), sums[r + 1u]));
          }
        }
      }
      workgroupBarrier();
    }
  }

  shares[local.y][local.x] = totals;
  workgroupBarrier();
  let d = 4u * local.x;
  if d >= params.head_size { return; }
  totals = Each();
  for (var x = 0u; x < MOST; x++) {
    if x >= (min(end - oldest, KEYS) + 3u) / 4u { break; }
    for (var r = 0u; r < ROWS; r++) { totals[r] += shares[local.y][x][r]; }
  }
  for (var r = 0u; r < ROWS; r++) {
    let query = mine + r;
    if query < params.queries {
      store((out + query * out_row() + d) / OUT_UNIT, over(sums[r], totals[r]), params.head_size - d);
    }
  }
}
