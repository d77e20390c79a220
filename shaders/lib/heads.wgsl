// The shape of an attention. Lengths are in elements. A query at position p sees keys 0..p where `causal`, else all.
// start_of   the first element of a head in a row of a batch: rows hold heads side by side, or heads hold rows
struct Params {
  queries: u32, keys: u32, heads: u32, kv_heads: u32,
  head_size: u32, causal: u32, offset: u32, scale: f32,
  // From batch to batch, row to row and head to head, and where the first begins.
  query: vec4u, key: vec4u, value: vec4u, out: vec4u,
  bias: vec4u, // the last: from key to key
  batches: u32,
}

const HIDDEN = -3.2e38; // score of a key that a query does not see
const LEAST = -3e38; // the highest score before any: what is below counts nowhere

fn start_of(steps: vec4u, batch: u32, row: u32, head: u32) -> u32 {
  return batch * steps.x + row * steps.y + head * steps.z + steps.w;
}
fn kv_head_of(head: u32) -> u32 { return head * params.kv_heads / params.heads; }
