// rotary_cache: of rows [queries, keys, values], queries and keys are normalised and turned as of rotary_embedding; keys and values become
// rows of a KV cache
//
// input [rows, heads + 2 · kv_heads, width], query [rows, heads, width], cache [context, 2 · kv_heads, width], positions [rows]. cos and sin
// [places, angles]. The first `size` of a head are pairs, `step` apart. Lengths count units: four elements, or one. Rows whose position is
// beyond the cache are dropped. An invocation makes a unit.
// ports   Unit, Exact, cos_of, sin_of (rotation)   factor_of, normed (head_norm)   flat_index (grid)
// consts  WG

struct Params {
  count: u32, width: u32, size: u32, step: u32,
  angles: u32, shift: u32, heads: u32, kv_heads: u32,
  context: u32, places: u32, head_size: u32,
}

@group(0) @binding(1) var<storage, read> input: array<Unit>;
@group(0) @binding(3) var<storage, read_write> query: array<Unit>;
@group(0) @binding(5) var<storage, read> positions: array<u32>;
@group(0) @binding(6) var<storage, read_write> cache: array<Unit>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i >= params.count { return; }
  let line = i / params.width;
  let u = i - line * params.width;
  let row = line / (params.heads + 2u * params.kv_heads);
  let head = line - row * (params.heads + 2u * params.kv_heads);
  let position = positions[row];
  var x = Exact(input[i]);
  if head < params.heads + params.kv_heads {
    let factor = factor_of(head, i - u);
    x = normed(x, head, u, factor);
    if u < params.size {
      let first = u / params.step % 2u == 0u;
      let pair = select(u - params.step, u + params.step, first);
      let other = normed(Exact(input[i - u + pair]), head, pair, factor);
      let place = min(position, params.places - 1u);
      x = x * cos_of(place, u) + select(other, -other, first) * sin_of(place, u);
    }
  }
  if head < params.heads { query[(row * params.heads + head) * params.width + u] = Unit(x); }
  else if position < params.context {
    cache[(position * 2u * params.kv_heads + head - params.heads) * params.width + u] = Unit(x);
  }
}
