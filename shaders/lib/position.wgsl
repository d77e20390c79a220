// position_of   the position of a query in the sequence: `offset` + its row, or an input of the op (with a KV cache)
// seen_by       how many keys a query sees; one past the last sees those of the last
// ports   Params (heads)

fn seen_by(query: u32) -> u32 {
  return select(params.keys, min(position_of(min(query, params.queries - 1u)) + 1u, params.keys), params.causal != 0u);
}

//# fixed
fn position_of(query: u32) -> u32 { return query + params.offset; }

//# positions
@group(0) @binding(5) var<storage, read> positions: array<u32>;
fn position_of(query: u32) -> u32 { return positions[query]; }
