// scatter_rows: state[.., positions[t], :] = a column range of updates[.., t, :]; positions beyond the state are dropped
//
// In place: it writes a KV cache. state [batches, heads, rows, width]; updates [batches, count, row], where the heads of
// a row begin at `column`, one after the other. An invocation moves one of `total` elements.
// ports   Elem (elem)   flat_index (grid)
// consts  WG

struct Params { total: u32, heads: u32, count: u32, rows: u32, width: u32, row: u32, column: u32 }

@group(0) @binding(1) var<storage, read> updates: array<Elem>;
@group(0) @binding(2) var<storage, read> positions: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<Elem>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i >= params.total { return; }
  let line = i / params.width;
  let d = i - line * params.width;
  let plane = line / params.count;
  let t = line - plane * params.count;
  let position = positions[t];
  if position < params.rows {
    let batch = plane / params.heads;
    let head = plane - batch * params.heads;
    let column = params.column + head * params.width + d;
    output[(plane * params.rows + position) * params.width + d] = updates[(batch * params.count + t) * params.row + column];
  }
}
