// concat_narrow: as concat, where elements of BITS (8 or 16) share words with those of other inputs
//
// An invocation owns a word of the output. It keeps the elements that other inputs have in it.
// ports   flat_index (grid)
// consts  WG BITS

struct Params { count: u32, own: u32, all: u32, first: u32 }

@group(0) @binding(1) var<storage, read> input: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<u32>;

const PER_WORD = 32u / BITS;
const MASK = (1u << BITS) - 1u;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  let begin = i * PER_WORD;
  if begin >= params.count { return; }
  var word = output[i];
  for (var element = begin; element < min(begin + PER_WORD, params.count); element++) {
    let row = element / params.all;
    let column = element - row * params.all - params.first; // wraps to a huge u32 before `first`
    if column >= params.own { continue; }
    let at = row * params.own + column;
    let bits = (input[at / PER_WORD] >> (BITS * (at % PER_WORD))) & MASK;
    let shift = BITS * (element - begin);
    word = (word & ~(MASK << shift)) | (bits << shift);
  }
  output[i] = word;
}
