// position_of: the position of a query in the sequence: `offset` + its row, or an input of the op (with a KV cache).

//# fixed
fn position_of(query: u32) -> u32 { return query + params.offset; }

//# positions
@group(0) @binding(5) var<storage, read> positions: array<u32>;
fn position_of(query: u32) -> u32 { return positions[query]; }
