// sample: output[line] = a token drawn from a line of logits by temperature, then top-k, then top-p over what top-k left
//
// Tokens rank by their logits, equal ones by index, lowest first. top-k, top-p and the draw are one search: for the token at
// which a running sum in order of rank, of ones or of exp(logit / temperature), exceeds a goal. It is a radix select
// (Knuth, TAOCP 3, 5.2.5) from the highest digit of the rank down: LANES invocations add up what falls into each of BINS
// bins, and the sum's bin is the digit. A temperature of 0 takes the first in rank. A line that holds NaN or Infinity, or
// nothing above -Infinity, gives NONE. LANES = 1 (serial) is the form for software adapters.
//
// ports   Elem (elem)   reduce_sum, reduce_max (reducer)
// consts  LANES LINES (1)   BITS (of a digit)

struct Params { lines: u32, size: u32 }

@group(0) @binding(1) var<storage, read> logits: array<Elem>;
// Temperature, top-k, top-p, and the draw: a number from 0 to below 1.
@group(0) @binding(2) var<storage, read> settings: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> output: array<u32>;

const NONE = 0xffffffffu;
const MASKED = 0x007fffffu; // the key of -Infinity
const BINS = 1u << BITS;

struct Line { start: u32, lane: u32, best: f32, temperature: f32 }

var<private> bins: array<f32, BINS>;

// Keys are in the order of their logits; NaN and Infinity come before all as NONE.
fn key_of(logit: f32) -> u32 {
  let bits = bitcast<u32>(logit);
  let magnitude = bits & 0x7fffffffu;
  if magnitude > 0x7f800000u || bits == 0x7f800000u { return NONE; }
  if magnitude == 0u { return 0x80000000u; }
  return select(~bits, bits | 0x80000000u, bits == magnitude);
}

fn logit_of(key: u32) -> f32 { return bitcast<f32>(select(~key, key & 0x7fffffffu, key >= 0x80000000u)); }

fn weight_of(line: Line, key: u32) -> f32 {
  if key <= MASKED { return 0.0; }
  return exp((logit_of(key) - line.best) / line.temperature);
}

// A rank is a key and, for equal keys, how far the index is from the end: higher ones come first.
fn rank_of(line: Line, i: u32) -> vec2u { return vec2u(key_of(f32(logits[line.start + i])), params.size - 1u - i); }

// The weight of all tokens up to and with the one of this rank.
fn mass_through(line: Line, last: vec2u) -> f32 {
  var sum = 0.0;
  for (var i = line.lane; i < params.size; i += LANES) {
    let rank = rank_of(line, i);
    if rank.x > last.x || (rank.x == last.x && rank.y >= last.y) { sum += weight_of(line, rank.x); }
  }
  return reduce_sum(vec4f(sum), line.lane, 0u).x;
}

// The rank at which the running sum exceeds the goal. Where rounding leaves a crumb after the last token, the last.
fn reach(line: Line, goal: f32, counted: bool) -> vec2u {
  var found = vec2u();
  var before = 0.0;
  for (var word = 0u; word < 2u; word++) {
    for (var left = 32u; left > 0u; left -= BITS) {
      let shift = left - BITS;
      if word == 1u && ((params.size - 1u) >> shift) == 0u { continue; }
      for (var b = 0u; b < BINS; b++) { bins[b] = 0.0; }
      let known = (found[word] >> shift) >> BITS;
      for (var i = line.lane; i < params.size; i += LANES) {
        let rank = rank_of(line, i);
        let digits = select(rank.x, rank.y, word == 1u) >> shift;
        if digits >> BITS == known && (word == 0u || rank.x == found.x) {
          bins[digits % BINS] += select(weight_of(line, rank.x), 1.0, counted);
        }
      }
      for (var b = 0u; b < BINS; b += 4u) {
        let sums = reduce_sum(vec4f(bins[b], bins[b + 1u], bins[b + 2u], bins[b + 3u]), line.lane, 0u);
        for (var j = 0u; j < 4u; j++) { bins[b + j] = sums[j]; }
      }
      var digit = 0u;
      var sum = before;
      for (var b = BINS; b > 0u && !(sum > goal); b--) {
        if bins[b - 1u] > 0.0 {
          digit = b - 1u;
          before = sum;
          sum += bins[digit];
        }
      }
      found[word] |= digit << shift;
    }
  }
  return found;
}

// The largest number below a positive one: what is not less than x exceeds it.
fn below(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) - 1u); }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let number = group.x + group.y * groups.x;
  if number >= params.lines { return; }
  let start = number * params.size;
  let lane = local.x;

  var key = 0u;
  var place = 0u;
  for (var i = lane; i < params.size; i += LANES) {
    let other = key_of(f32(logits[start + i]));
    place = select(place, i, other > key);
    key = max(key, other);
  }
  // A float holds half a key exactly, and an index.
  let high = u32(reduce_max(vec4f(f32(key >> 16u)), lane, 0u).x);
  let low = u32(reduce_max(vec4f(select(0.0, f32(key & 0xffffu), key >> 16u == high)), lane, 0u).x);
  let top = (high << 16u) | low;
  var token = u32(-reduce_max(vec4f(select(-3e38, -f32(place), key == top)), lane, 0u).x);

  let setting = settings[number];
  if setting.x > 0.0 {
    let line = Line(start, lane, logit_of(top), setting.x);
    var last = vec2u();
    for (var step = 0u; step < 3u; step++) {
      if step == 0u && setting.y >= f32(params.size) { continue; }
      if step == 1u && setting.z >= 1.0 { continue; }
      let mass = mass_through(line, last);
      let goals = vec3f(setting.y - 0.5, below(setting.z * mass), setting.w * mass);
      last = reach(line, goals[step], step == 0u);
    }
    token = params.size - 1u - last.y;
  }
  if lane == 0u { output[number] = select(token, NONE, top == NONE || top <= MASKED); }
}
