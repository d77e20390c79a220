// attention_join: output = the parts of attention_workgroup, joined: by their highest scores, over the totals of their weights
//
// One invocation: four elements of a head.
//
// ports   Elem (elem)   over (score_bias)   store (store)   flat_index (grid)
// consts  WG   SPLIT (parts)   HEAD4 (of attention_workgroup)

struct Params { lines: u32, head_size: u32 }

@group(0) @binding(1) var<storage, read> partial: array<vec4f>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  let quads = (params.head_size + 3u) / 4u;
  let line = i / quads;
  if line >= params.lines { return; }
  let quad = i - line * quads;
  let first = line * SPLIT * (1u + HEAD4);
  var top = -3e38;
  for (var part = 0u; part < SPLIT; part++) { top = max(top, partial[first + part * (1u + HEAD4)].x); }
  var total = 0.0;
  var sum = vec4f();
  for (var part = 0u; part < SPLIT; part++) {
    let at = first + part * (1u + HEAD4);
    let weight = exp(partial[at].x - top);
    total += weight * partial[at].y;
    sum = fma(partial[at + 1u + quad], vec4f(weight), sum);
  }
  store((line * params.head_size + 4u * quad) / OUT_UNIT, over(sum, total), params.head_size - 4u * quad);
}
