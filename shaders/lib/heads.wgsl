// The shape of an attention. Lengths are in elements.
// Query t of batch b is row b*queries + t. Key and value j are row b*keys + j. A query at position p sees keys 0..p
// where `causal`, else all.
struct Params {
  queries: u32, keys: u32, heads: u32, kv_heads: u32,
  head_size: u32, causal: u32, offset: u32, scale: f32,
  query_row: u32, query_column: u32, key_row: u32, key_column: u32,
  value_row: u32, value_column: u32, batches: u32,
}
