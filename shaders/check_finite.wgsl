// check_finite: output = max(output, mark) where an element of the input is infinite or NaN
//
// It looks at the bits of the exponent: WGSL lets a compiler assume that no number is infinite or NaN. Elements from
// `count` on are padding.
// ports   overflows (exponent)   flat_index (grid)
// consts  WG

struct Params { count: u32, mark: u32 }

@group(0) @binding(1) var<storage, read> input: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<atomic<u32>>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * PER_WORD >= params.count { return; }
  if overflows(input[i], params.count - i * PER_WORD) { atomicMax(&output[0], params.mark); }
}
