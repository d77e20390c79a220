// Elements of 32, 16 or 8 bits of any type: read one by one, written four at a time.

//# b32
@group(0) @binding(1) var<storage, read> input: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4u>;
fn fetch(i: u32) -> u32 { return input[i]; }
fn put(i: u32, v: vec4u) { output[i] = v; }

//# b16
@group(0) @binding(1) var<storage, read> input: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<vec2u>;
fn fetch(i: u32) -> u32 { return (input[i / 2u] >> (16u * (i % 2u))) & 0xffffu; }
fn put(i: u32, v: vec4u) { output[i] = v.xz | (v.yw << vec2u(16u)); }

//# b8
@group(0) @binding(1) var<storage, read> input: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<u32>;
fn fetch(i: u32) -> u32 { return (input[i / 4u] >> (8u * (i % 4u))) & 0xffu; }
fn put(i: u32, v: vec4u) { output[i] = v.x | (v.y << 8u) | (v.z << 16u) | (v.w << 24u); }
