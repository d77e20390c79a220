// position_of   the position of a query in the sequence: `offset` + its row, or an input of the op (with a KV cache)
// seen_by       the end of the keys that a query sees; one past the last sees those of the last
// first_seen    the first of them, by that end: the first of all, or WINDOW before the end; first_of: the first that any of some queries sees
// is_seen       which of four keys are among them
// ports   Params (heads)
// consts  WINDOW

fn seen_by(query: u32) -> u32 {
  return select(params.keys, min(position_of(min(query, params.queries - 1u)) + 1u, params.keys), params.causal != 0u);
}

//# whole
fn first_seen(seen: u32) -> u32 { return 0u; }
fn first_of(query: u32, end: u32) -> u32 { return 0u; }
fn is_seen(keys: vec4u, seen: u32) -> vec4<bool> { return keys < vec4u(seen); }

//# window
fn first_seen(seen: u32) -> u32 { return seen - min(seen, WINDOW); }
fn first_of(query: u32, end: u32) -> u32 {
  var first = params.keys;
  for (var q = query; q < end; q++) { first = min(first, first_seen(seen_by(q))); }
  return first;
}
fn is_seen(keys: vec4u, seen: u32) -> vec4<bool> { return (keys < vec4u(seen)) & (keys >= vec4u(first_seen(seen))); }

//# fixed
fn position_of(query: u32) -> u32 { return query + params.offset; }

//# positions
@group(0) @binding(5) var<storage, read> positions: array<u32>;
fn position_of(query: u32) -> u32 { return positions[query]; }

//# alike
// All queries are heads of one.
@group(0) @binding(5) var<storage, read> positions: array<u32>;
fn position_of(query: u32) -> u32 { return positions[0u]; }
