// angles_of: the row of cosines and sines for place `at` of the sequences: the same one, or the one that an input of the op names
// ports   place_of (place)   Params (rotary_embedding)

//# fixed
fn angles_of(at: u32) -> u32 { return at; }

//# positions
@group(0) @binding(5) var<storage, read> positions: array<u32>;
fn angles_of(at: u32) -> u32 { return place_of(positions[at], params.rows); }
