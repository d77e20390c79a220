// quantize: four weights to a u32, round(w / scale of its output channel), symmetric int8
//
// ports   Elem (elem)   flat_index (grid)
// consts  WG

// channel of element i: i / size where channels are rows ([N,K]), i % channels where they are columns ([K,N]).
struct Params { count: u32, channels: u32, size: u32, channels_are_rows: u32 }

@group(0) @binding(1) var<storage, read> input: array<Elem>;
@group(0) @binding(2) var<storage, read> scales: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<u32>;

fn byte_of(index: u32) -> u32 {
  let i = min(index, params.count - 1u);
  let channel = select(i % params.channels, i / params.size, params.channels_are_rows != 0u);
  return u32(i32(clamp(round(f32(input[i]) / scales[channel]), -127.0, 127.0))) & 255u;
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if 4u * i >= params.count { return; }
  output[i] = byte_of(4u * i) | (byte_of(4u * i + 1u) << 8u) | (byte_of(4u * i + 2u) << 16u) | (byte_of(4u * i + 3u) << 24u);
}
