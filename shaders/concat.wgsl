// concat: one input [rows, own] becomes columns first.. of the output [rows, all]; a dispatch for each input
//
// Lengths are in words: elements of 32 bits, or rows of whole words.
// ports   flat_index (grid)
// consts  WG

struct Params { count: u32, own: u32, all: u32, first: u32 }

@group(0) @binding(1) var<storage, read> input: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i >= params.count { return; }
  let row = i / params.own;
  output[row * params.all + params.first + i - row * params.own] = input[i];
}
