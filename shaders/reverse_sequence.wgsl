// reverse_sequence: along the time axis the first lengths[b] elements from the last to the first, the others as they are; b is along the batch axis
//
// ports   fetch, put (bits)   flat_index (grid)
// consts  WG

// Sizes and strides of the two axes.
struct Params { count: u32, batches: u32, batch_stride: u32, times: u32, time_stride: u32 }

@group(0) @binding(2) var<storage, read> lengths: array<u32>;

fn element(index: u32) -> u32 {
  let length = min(lengths[(index / params.batch_stride) % params.batches], params.times);
  let time = (index / params.time_stride) % params.times;
  return fetch(index + select(0u, length - 1u - 2u * time, time < length) * params.time_stride); // it wraps to a step back
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * 4u >= params.count { return; }
  let last = params.count - 1u;
  put(i, vec4u(element(4u * i), element(min(4u * i + 1u, last)), element(min(4u * i + 2u, last)), element(min(4u * i + 3u, last))));
}
