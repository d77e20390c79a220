// values[i] = sums of dot products of packed bytes: eight sums, 32 multiply-accumulates a round.
// values: [invocations].
requires packed_4x8_integer_dot_product;

struct Params {
  rounds: u32,
}

@group(0) @binding(1) var<storage, read_write> values: array<i32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  var x = bitcast<u32>(values[id.x]);
  let low = vec4u(0x01020304u, 0x7f010203u, 0x10203040u, 0x11121314u) ^ vec4u(x);
  let high = vec4u(0x05060708u, 0x09070503u, 0x20406001u, 0x31323334u) ^ vec4u(x);
  var a = 0;
  var b = 0;
  var c = 0;
  var d = 0;
  var e = 0;
  var f = 0;
  var g = 0;
  var h = 0;
  for (var i = 0u; i < params.rounds; i++) {
    a += dot4I8Packed(x, low.x);
    b += dot4I8Packed(x, low.y);
    c += dot4I8Packed(x, low.z);
    d += dot4I8Packed(x, low.w);
    e += dot4I8Packed(x, high.x);
    f += dot4I8Packed(x, high.y);
    g += dot4I8Packed(x, high.z);
    h += dot4I8Packed(x, high.w);
    x += 0x01030507u;
  }
  values[id.x] = a + b + c + d + e + f + g + h;
}
