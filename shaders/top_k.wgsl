// top_k: [outer, size, stride] gives values and int32 indices [outer, k, stride]: the k largest (or smallest) along the axis
//
// The best comes first; of equals the lowest index. NaN is the largest of all. LANES invocations share a line. They
// pick k times the best element that ranks after the last pick. Elements are compared by keys, integers in the order of
// the elements. Lanes exchange halves of keys and indices as float32, which is exact up to 2^24.
// ports   Elem (elem)   key_of (keys)   reduce_max (reducer)   line_index (line)
// consts  LANES LINES

struct Params { lines: u32, size: u32, stride: u32, k: u32 }

@group(0) @binding(1) var<storage, read> input: array<Elem>;
@group(0) @binding(3) var<storage, read_write> values: array<Elem>;
@group(0) @binding(4) var<storage, read_write> indices: array<i32>;

fn shared_max(x: u32, lane: u32, line: u32) -> u32 { return u32(reduce_max(vec4f(f32(x)), lane, line).x); }

@compute @workgroup_size(LANES, LINES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let wanted = line_index(group, groups, local);
  let line = min(wanted, params.lines - 1u);
  let outer = line / params.stride;
  let column = line - outer * params.stride;
  let start = outer * params.size * params.stride + column;
  var last_key = 0xffffffffu;
  var last = -1; // before the first
  for (var pick = 0u; pick < params.k; pick++) {
    var key = 0u;
    var index = params.size; // none
    for (var i = local.x; i < params.size; i += LANES) {
      let own = key_of(input[start + i * params.stride]);
      let open = own < last_key || (own == last_key && i32(i) > last);
      if open && (own > key || index == params.size) {
        key = own;
        index = i;
      }
    }
    let none = index == params.size;
    let high = shared_max(select(key >> 16u, 0u, none), local.x, local.y);
    let among = !none && (key >> 16u) == high;
    let low = shared_max(select(0u, key & 0xffffu, among), local.x, local.y);
    let best = among && (key & 0xffffu) == low;
    // Counted from the end: the largest is the first index.
    last = i32(params.size) - i32(shared_max(select(0u, params.size - index, best), local.x, local.y));
    last_key = (high << 16u) | low;
    if local.x == 0u && wanted < params.lines {
      let at = (outer * params.k + pick) * params.stride + column;
      values[at] = input[start + u32(last) * params.stride];
      indices[at] = last;
    }
  }
}
