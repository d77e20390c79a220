// glu: output = apply(gate) * value, where a row of the input is [gate, value]: a gated linear unit (Shazeer 2020)
//
// input [rows, 2 · columns], output [rows, columns]. An invocation makes four columns.
// ports   a_at (operand_a)   store (store)   apply (functions)   flat_index (grid)
// consts  WG

struct Params { rows: u32, columns: u32 }

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  let quads = (params.columns + 3u) / 4u;
  let row = i / quads;
  if row >= params.rows { return; }
  let column = 4u * (i - row * quads);
  let live = params.columns - column;
  let gate = (2u * row * params.columns + column) / A_UNIT;
  let value = gate + params.columns / A_UNIT;
  store((row * params.columns + column) / OUT_UNIT, apply(a_at(gate, live)) * a_at(value, live), live);
}
