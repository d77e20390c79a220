// scatter_rows: state[positions[t]] = a column range of updates[t]; positions beyond the state are dropped
//
// In place: it writes a KV cache.
// ports   Elem (elem)   flat_index (grid)
// consts  WG

struct Params { count: u32, rows: u32, width: u32, row: u32, column: u32 }

@group(0) @binding(1) var<storage, read> updates: array<Elem>;
@group(0) @binding(2) var<storage, read> positions: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<Elem>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  let t = i / params.width;
  if t >= params.count { return; }
  let position = positions[t];
  if position < params.rows {
    let column = i - t * params.width;
    output[position * params.width + column] = updates[t * params.row + params.column + column];
  }
}
