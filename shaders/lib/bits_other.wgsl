// The second input of a data movement (see bits.wgsl).

//# b32
@group(0) @binding(2) var<storage, read> other: array<u32>;
fn fetch_other(i: u32) -> u32 { return other[i]; }

//# b16
@group(0) @binding(2) var<storage, read> other: array<u32>;
fn fetch_other(i: u32) -> u32 { return (other[i / 2u] >> (16u * (i % 2u))) & 0xffffu; }

//# b8
@group(0) @binding(2) var<storage, read> other: array<u32>;
fn fetch_other(i: u32) -> u32 { return (other[i / 4u] >> (8u * (i % 4u))) & 0xffu; }
