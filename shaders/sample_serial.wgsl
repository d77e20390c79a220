// sample_serial: output[line] = a token drawn from logits by temperature, then top-k, top-p over what top-k left, min-p
//
// For software adapters: one invocation a line. The largest logit ranks first; of equal logits the lowest index. top-k,
// top-p and the draw are a walk each, down the ranks, until a running sum of ones or of exp(logit / temperature)
// exceeds a goal. The line is cut into chunks; the first token in rank of each chunk is kept. The next token of a walk
// is the first of these, and then its chunk is searched for the one after it. The last walk before
// the draw ends at min-p, a part of the first's weight. Without any of the three the draw goes by index. Temperature 0 takes the first in rank. A line with NaN or Infinity, or with -Infinity only, gives NONE. A walk
// may take millions of rounds, so the adapter needs Caps.longLoops.
//
// ports   Elem (elem)   key_of, weight_of, logit_of, below, drawn (ranking)   flat_index (grid)
// consts  WG   CHUNKS (at most)

struct Params { lines: u32, size: u32, chunk: u32 }

@group(0) @binding(1) var<storage, read> logits: array<Elem>;
// Of each line: temperature, top-k, top-p, the draw (a number from 0 to below 1), min-p.
@group(0) @binding(2) var<storage, read> settings: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<u32>;

fn setting_of(line: u32) -> vec4f {
  let at = 5u * line;
  return vec4f(settings[at], settings[at + 1u], settings[at + 2u], settings[at + 3u]);
}

fn least_of(line: u32) -> f32 { return settings[5u * line + 4u]; }

// [key, index] of the first token in rank of each chunk, of those that the walk has not passed.
var<private> firsts: array<vec2u, CHUNKS>;

fn key_at(line: u32, i: u32) -> u32 { return key_of(f32(logits[line * params.size + i])); }

// The first token in rank of a chunk after `passed`. Key 0: there is none.
fn first_of(line: u32, chunk: u32, passed: vec2u) -> vec2u {
  var first = vec2u();
  let end = min((chunk + 1u) * params.chunk, params.size);
  for (var i = chunk * params.chunk; i < end; i++) {
    let key = key_at(line, i);
    let open = key < passed.x || (key == passed.x && i > passed.y);
    first = select(first, vec2u(key, i), open && key > first.x);
  }
  return first;
}

fn first_of_all() -> vec2u {
  var first = vec2u();
  for (var c = 0u; c * params.chunk < params.size; c++) { first = select(first, firsts[c], firsts[c].x > first.x); }
  return first;
}

// The draw from all tokens, in order of index.
fn draw(line: u32, best: f32, setting: vec4f) -> u32 {
  var mass = 0.0;
  for (var i = 0u; i < params.size; i++) { mass += weight_of(key_at(line, i), best, setting.x); }
  var token = 0u;
  var sum = 0.0;
  for (var i = 0u; i < params.size && !(sum > setting.w * mass); i++) {
    let weight = weight_of(key_at(line, i), best, setting.x);
    token = select(token, i, weight > 0.0);
    sum += weight;
  }
  return token;
}

// The draw from the tokens that top-k, top-p and min-p leave.
fn narrowed_draw(line: u32, top: vec2u, setting: vec4f, least: f32) -> u32 {
  let best = logit_of(top.x);
  for (var c = 0u; c * params.chunk < params.size; c++) { firsts[c] = first_of(line, c, vec2u(0xffffffffu)); }
  let start = firsts;
  var token = top.y;
  var mass = 0.0;
  if setting.y >= f32(params.size) {
    for (var i = 0u; i < params.size; i++) {
      let weight = weight_of(key_at(line, i), best, setting.x);
      mass += select(0.0, weight, weight >= least || setting.z < 1.0);
    }
  }
  for (var step = 0u; step < 3u; step++) {
    if step == 0u && setting.y >= f32(params.size) { continue; }
    if step == 1u && setting.z >= 1.0 { continue; }
    let goals = vec3f(setting.y - 0.5, below(setting.z * mass), setting.w * mass);
    firsts = start;
    var sum = 0.0;
    mass = 0.0;
    // top-p is a part of all that top-k left.
    let lowest = select(0.0, least, step > 0u || setting.z >= 1.0);
    while !(sum > goals[step]) {
      let next = first_of_all();
      let weight = weight_of(next.x, best, setting.x);
      if !(weight > 0.0 && weight >= lowest) { break; }
      token = next.y;
      mass += weight;
      sum += select(weight, 1.0, step == 0u);
      let chunk = token / params.chunk;
      firsts[chunk] = first_of(line, chunk, next);
    }
  }
  return token;
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let line = flat_index(id, groups);
  if line >= params.lines { return; }
  var top = vec2u();
  for (var i = 0u; i < params.size; i++) {
    let key = key_at(line, i);
    top = select(top, vec2u(key, i), key > top.x);
  }
  let setting = setting_of(line);
  let least = least_of(line);
  var token = top.y;
  if setting.x > 0.0 {
    if setting.y >= f32(params.size) && setting.z >= 1.0 && least <= 0.0 {
      token = draw(line, logit_of(top.x), setting);
    } else {
      token = narrowed_draw(line, top, setting, least);
    }
  }
  output[line] = drawn(token, top.x);
}
