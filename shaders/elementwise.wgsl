// elementwise: output = apply(input), four elements an invocation
//
// ports   Stored, unpack (stored)   Result, pack (result)   flat_index (grid)   apply (functions, unary_math, unary_logic, trigonometry)
// consts  WG

struct Params { count4: u32 }

@group(0) @binding(1) var<storage, read> input: array<Stored>;
@group(0) @binding(3) var<storage, read_write> output: array<Result>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i < params.count4 { output[i] = pack(apply(unpack(input[i]))); }
}
