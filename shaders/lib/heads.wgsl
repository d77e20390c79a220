// The shape of an attention. Lengths are in elements. A query at position p sees keys 0..p where `causal`, else all.
// query_start, key_start, value_start, out_start   the first element of a head in a row of a batch
// out_row   from row to row of the output
// consts    APART   bits for query and output, key, value: heads hold rows. Else rows hold heads, side by side
struct Params {
  queries: u32, keys: u32, heads: u32, kv_heads: u32,
  head_size: u32, causal: u32, offset: u32, scale: f32,
  query_row: u32, query_column: u32, key_row: u32, key_column: u32,
  value_row: u32, value_column: u32, batches: u32,
}

const HIDDEN = -3.2e38; // score of a key that a query does not see
const LEAST = -3e38; // the highest score before any: what is below counts nowhere

fn start_of(apart: u32, count: u32, row_step: u32, heads: u32, batch: u32, row: u32, head: u32) -> u32 {
  if apart != 0u { return ((batch * heads + head) * count + row) * row_step; }
  return batch * count * row_step + row * row_step + head * params.head_size;
}
fn query_start(batch: u32, row: u32, head: u32) -> u32 {
  return start_of(APART & 1u, params.queries, params.query_row, params.heads, batch, row, head) + params.query_column;
}
fn key_start(batch: u32, head: u32) -> u32 {
  let kv_head = head * params.kv_heads / params.heads;
  return start_of(APART & 2u, params.keys, params.key_row, params.kv_heads, batch, 0u, kv_head) + params.key_column;
}
fn value_start(batch: u32, head: u32) -> u32 {
  let kv_head = head * params.kv_heads / params.heads;
  return start_of(APART & 4u, params.keys, params.value_row, params.kv_heads, batch, 0u, kv_head) + params.value_column;
}
fn out_row() -> u32 { return select(params.heads, 1u, (APART & 1u) != 0u) * params.head_size; }
// Shares no product with out_row: that would stay in a register all the while.
fn out_start(batch: u32, row: u32, head: u32) -> u32 {
  let apart = (APART & 1u) != 0u;
  if apart { return ((batch * params.heads + head) * params.queries + row) * params.head_size; }
  return ((batch * params.queries + row) * params.heads + head) * params.head_size;
}
