// attention_tiled: output = softmax(query · keyᵀ * scale + causal mask) · value, per head
//
// For many queries on a GPU (prefill), after FlashAttention (Dao et al. 2022). A workgroup of 8×8 takes 32 queries of
// one head. It loads tiles of 32 keys and values into workgroup memory; softmax is online over the tiles. Invocation
// (x, y) has queries 4y..4y+3. It scores them against keys x, x+8, x+16 and x+24 of a tile, and sums columns 4x..4x+3
// and 4(x+8)..4(x+8)+3 of their outputs. A head has 64 elements at the most.
//
// ports   Elem (elem)   Params (heads)   query_at, key_at, value_at (qkv)   position_of (position)   store (store)

const TILE = 32u;
const MOST4 = 16u; // vec4 in the widest head

// Keys as [d4][key], one vec4 of padding a row: walks along either axis spread over the banks. Then values as [key][d4].
var<workgroup> tile: array<vec4f, MOST4 * (TILE + 1u)>;
var<workgroup> weights: array<vec4f, TILE * 8u>; // [query][x]: weights of keys x, x+8, x+16, x+24
var<workgroup> shares: array<vec4f, 64>; // [y][x]: of four queries

fn seen_by(query: u32) -> u32 {
  return select(params.keys, min(position_of(query) + 1u, params.keys), params.causal != 0u);
}

fn masked(scores: vec4f, key: u32, seen: u32) -> vec4f {
  return select(vec4f(-3e38), scores * params.scale, vec4u(key) + vec4u(0u, 8u, 16u, 24u) < vec4u(seen));
}

fn highest(v: vec4f) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }

fn scaled(m: mat4x4f, by: vec4f) -> mat4x4f { return mat4x4f(m[0] * by.x, m[1] * by.y, m[2] * by.z, m[3] * by.w); }

fn rows_of_tile(start: u32, step: u32) -> mat4x4f {
  return mat4x4f(tile[start], tile[start + step], tile[start + 2u * step], tile[start + 3u * step]);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) lane: u32) {
  let tiles = (params.queries + TILE - 1u) / TILE;
  let wanted = group.x + group.y * groups.x;
  let i = min(wanted, tiles * params.heads * params.batches - 1u);
  let first = i % tiles * TILE;
  let head = i / tiles % params.heads;
  let batch = i / tiles / params.heads;
  let kv_head = head * params.kv_heads / params.heads;
  let k = batch * params.keys * params.key_row + params.key_column + kv_head * params.head_size;
  let v = batch * params.keys * params.value_row + params.value_column + kv_head * params.head_size;
  let head4 = (params.head_size + 3u) / 4u;
  let last = params.queries - 1u;
  let mine = first + 4u * local.y;
  let queries = min(vec4u(mine) + vec4u(0u, 1u, 2u, 3u), vec4u(last));
  let q = (batch * params.queries + queries) * params.query_row + params.query_column + head * params.head_size;
  let seen = vec4u(seen_by(queries.x), seen_by(queries.y), seen_by(queries.z), seen_by(queries.w));
  var end = 0u;
  for (var query = first; query < first + TILE; query++) { end = max(end, seen_by(min(query, last))); }

  let left = min(local.x, head4 - 1u);
  let right = min(local.x + 8u, head4 - 1u);
  var tops = vec4f(-3e38);
  var totals = vec4f(); // of this invocation's keys
  var sums_left = mat4x4f(); // a column per query
  var sums_right = mat4x4f();
  for (var start = 0u; start < end; start += TILE) {
    for (var e = lane; e < TILE * head4; e += 64u) {
      let row = min(start + e / head4, params.keys - 1u);
      tile[e % head4 * (TILE + 1u) + e / head4] = key_at(k + row * params.key_row, 4u * (e % head4));
    }
    workgroupBarrier();
    var scores = mat4x4f();
    for (var d4 = 0u; d4 < head4; d4++) {
      let d = 4u * d4;
      let of_queries = mat4x4f(query_at(q.x, d), query_at(q.y, d), query_at(q.z, d), query_at(q.w, d));
      scores += transpose(rows_of_tile(d4 * (TILE + 1u) + local.x, 8u)) * of_queries;
    }
    let key = start + local.x;
    let s = mat4x4f(masked(scores[0], key, seen.x), masked(scores[1], key, seen.y), masked(scores[2], key, seen.z), masked(scores[3], key, seen.w));
    shares[lane] = vec4f(highest(s[0]), highest(s[1]), highest(s[2]), highest(s[3]));
    workgroupBarrier();
    var new_tops = tops;
    for (var x = 0u; x < 8u; x++) { new_tops = max(new_tops, shares[8u * local.y + x]); }
    let shrink = exp(tops - new_tops);
    let p = mat4x4f(exp(s[0] - new_tops.x), exp(s[1] - new_tops.y), exp(s[2] - new_tops.z), exp(s[3] - new_tops.w));
    tops = new_tops;
    totals = totals * shrink + vec4f(1.0) * p;
    let at = 32u * local.y + local.x;
    weights[at] = p[0];
    weights[at + 8u] = p[1];
    weights[at + 16u] = p[2];
    weights[at + 24u] = p[3];
    for (var e = lane; e < TILE * head4; e += 64u) {
      let row = min(start + e / head4, params.keys - 1u);
      tile[e] = value_at(v + row * params.value_row, 4u * (e % head4));
    }
    workgroupBarrier();
    sums_left = scaled(sums_left, shrink);
    sums_right = scaled(sums_right, shrink);
    for (var x = 0u; x < 8u; x++) {
      let line = 32u * local.y + x;
      let ps = mat4x4f(weights[line], weights[line + 8u], weights[line + 16u], weights[line + 24u]);
      sums_left += rows_of_tile(x * head4 + left, 8u * head4) * ps;
      sums_right += rows_of_tile(x * head4 + right, 8u * head4) * ps;
    }
    workgroupBarrier();
  }

  shares[lane] = totals;
  workgroupBarrier();
  if wanted != i { return; }
  totals = vec4f();
  for (var x = 0u; x < 8u; x++) { totals += shares[8u * local.y + x]; }
  for (var r = 0u; r < min(4u, params.queries - min(mine, params.queries)); r++) {
    let out = ((batch * params.queries + mine + r) * params.heads + head) * params.head_size;
    let d = 4u * local.x;
    if d < params.head_size { store((out + d) / OUT_UNIT, sums_left[r] / totals[r], params.head_size - d); }
    if d + 32u < params.head_size { store((out + d + 32u) / OUT_UNIT, sums_right[r] / totals[r], params.head_size - d - 32u); }
  }
}
