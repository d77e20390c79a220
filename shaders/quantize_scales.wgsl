// quantize_scales: scales[i] = max |weights| / 127 of output channel i, for symmetric int8
//
// A channel is a column of [K,N] (element stride N) or a row of [N,K] (element stride 1). An all-zero channel has scale 1.
// ports   Elem (elem)   flat_index (grid)
// consts  WG

struct Params { channels: u32, size: u32, channel_stride: u32, element_stride: u32 }

@group(0) @binding(1) var<storage, read> input: array<Elem>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i >= params.channels { return; }
  var top = 0.0;
  for (var j = 0u; j < params.size; j++) { top = max(top, abs(f32(input[i * params.channel_stride + j * params.element_stride]))); }
  output[i] = select(1.0, top / 127.0, top > 0.0);
}
