// four, integers: four numbers of GGML's blocks from the one at `first` on, a multiple of 4. Blocks lie as GGUF files have them.

fn byte_at(at: u32) -> u32 { return (input[at / 4u] >> (8u * (at % 4u))) & 255u; }
fn bytes_at(at: u32) -> vec4u { return vec4u(byte_at(at), byte_at(at + 1u), byte_at(at + 2u), byte_at(at + 3u)); }
// At an even byte.
fn half_at(at: u32) -> f32 { return unpack2x16float(input[at / 4u] >> (8u * (at % 4u))).x; }

//# q4_k
// Two scales, 8 scales and 8 minima of 6 bits in 12 bytes, and 128 bytes: 32 of numbers of two groups, four times.
fn four(first: u32) -> vec4f {
  let at = first / 256u * 144u;
  let group = first / 32u % 8u;
  let low = at + 4u + group % 4u;
  var factor = byte_at(low);
  var offset = byte_at(low + 4u);
  if group < 4u {
    factor &= 63u;
    offset &= 63u;
  } else {
    let high = byte_at(low + 8u);
    factor = (high & 15u) | ((factor >> 6u) << 4u);
    offset = (high >> 4u) | ((offset >> 6u) << 4u);
  }
  let numbers = (bytes_at(at + 16u + group / 2u * 32u + first % 32u) >> vec4u(4u * (group % 2u))) & vec4u(15u);
  return half_at(at) * f32(factor) * vec4f(numbers) - half_at(at + 2u) * f32(offset);
}

//# q6_k
// 128 bytes of low halves, 64 of two bits above them, 16 scales of int8 and their scale; numbers are stored with 32 added.
fn four(first: u32) -> vec4f {
  let at = first / 256u * 210u;
  let side = first / 128u % 2u;
  let quarter = first / 32u % 4u;
  let place = first % 32u;
  let low = (bytes_at(at + 64u * side + quarter % 2u * 32u + place) >> vec4u(quarter / 2u * 4u)) & vec4u(15u);
  let high = (bytes_at(at + 128u + 32u * side + place) >> vec4u(2u * quarter)) & vec4u(3u);
  let factor = i32(byte_at(at + 192u + first % 256u / 16u) << 24u) >> 24u;
  return half_at(at + 208u) * f32(factor) * vec4f(vec4i(low | (high << vec4u(4u))) - 32);
}

//# q8_0_scales
fn four(first: u32) -> vec4f {
  let at = 34u * first;
  return vec4f(half_at(at), half_at(at + 34u), half_at(at + 68u), half_at(at + 102u));
}

//# q4_0_scales
fn four(first: u32) -> vec4f {
  let at = 18u * first;
  return vec4f(half_at(at), half_at(at + 18u), half_at(at + 36u), half_at(at + 54u));
}

//# q8_0
fn integers(first: u32) -> vec4u { return bytes_at(first / 32u * 34u + 2u + first % 32u); }

//# q4_0
// Numbers i and i + 16 share a byte; they are stored with 8 added.
fn integers(first: u32) -> vec4u {
  let numbers = (bytes_at(first / 32u * 18u + 2u + first % 16u) >> vec4u(first / 16u % 2u * 4u)) & vec4u(15u);
  return (numbers - 8u) & vec4u(255u);
}
