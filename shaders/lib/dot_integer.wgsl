// dot4(a, b): the sum of the products of four int8 each, packed into words.

//# packed
fn dot4(a: u32, b: u32) -> i32 { return dot4I8Packed(a, b); }

//# shifts
// For where WGSL lacks packed_4x8_integer_dot_product.
fn bytes(x: u32) -> vec4i { return vec4i(vec4u(x) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u); }
fn dot4(a: u32, b: u32) -> i32 { return dot(bytes(a), bytes(b)); }
