// position_of   the position of a query in the sequence: `offset` + its row, or an input of the op (with a KV cache)
// seen_by       the end of the keys that a query sees; one past the last sees those of the last
// first_seen    the first of them, by that end: the first of all, or WINDOW before the end
// ports   Params (heads)
// consts  WINDOW

fn seen_by(query: u32) -> u32 {
  return select(params.keys, min(position_of(min(query, params.queries - 1u)) + 1u, params.keys), params.causal != 0u);
}

//# whole
fn first_seen(seen: u32) -> u32 { return 0u; }

//# window
fn first_seen(seen: u32) -> u32 { return seen - min(seen, WINDOW); }

//# fixed
fn position_of(query: u32) -> u32 { return query + params.offset; }

//# positions
@group(0) @binding(5) var<storage, read> positions: array<u32>;
fn position_of(query: u32) -> u32 { return positions[query]; }
