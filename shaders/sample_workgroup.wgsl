// sample_workgroup: output[line] = a token drawn from logits by temperature, then top-k, top-p over what top-k left, min-p
//
// One workgroup a line. The largest logit ranks first; of equal logits the lowest index. top-k, top-p and the draw are
// the same search: for the token at which a running sum down the ranks, of ones or of exp(logit / temperature), exceeds
// a goal. The search is a radix select (Knuth, TAOCP 3, 5.2.5), two bits of the rank at a time from the highest: LANES
// invocations sum the tokens of each of four bins, and the bin in which the goal is exceeded gives the two bits.
// min-p leaves the ranks of tokens whose weight is that part of the first's. Without any of the three the draw goes by index. Temperature 0 takes the first in rank. A line with NaN or Infinity,
// or with -Infinity only, gives NONE.
//
// ports   Elem (elem)   key_of, weight_of, logit_of, below, drawn (ranking)   reduce_sum, reduce_max (reducer)
// consts  LANES LINES (1)

struct Params { lines: u32, size: u32 }

@group(0) @binding(1) var<storage, read> logits: array<Elem>;
// Of each line: temperature, top-k, top-p, the draw (a number from 0 to below 1), min-p.
@group(0) @binding(2) var<storage, read> settings: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<u32>;

fn setting_of(line: u32) -> vec4f {
  let at = 5u * line;
  return vec4f(settings[at], settings[at + 1u], settings[at + 2u], settings[at + 3u]);
}

fn least_of(line: u32) -> f32 { return settings[5u * line + 4u]; }

struct Line { start: u32, lane: u32, best: f32, temperature: f32 }

// [key, distance of the index from the end]: the higher ranks first.
fn rank_at(line: Line, i: u32) -> vec2u { return vec2u(key_of(f32(logits[line.start + i])), params.size - 1u - i); }

// The weight of all tokens from the first to this rank.
fn mass_through(line: Line, last: vec2u) -> f32 {
  var sum = 0.0;
  for (var i = line.lane; i < params.size; i += LANES) {
    let rank = rank_at(line, i);
    if rank.x > last.x || (rank.x == last.x && rank.y >= last.y) { sum += weight_of(rank.x, line.best, line.temperature); }
  }
  return reduce_sum(vec4f(sum), line.lane, 0u).x;
}

// The rank at which the running sum exceeds the goal; the last rank where rounding keeps the sum below it.
fn reach(line: Line, goal: f32, counted: bool, by_index: bool) -> vec2u {
  var found = vec2u();
  var before = 0.0;
  for (var word = select(0u, 1u, by_index); word < 2u; word++) {
    for (var left = 32u; left > 0u; left -= 2u) {
      let shift = left - 2u;
      if word == 1u && ((params.size - 1u) >> shift) == 0u { continue; }
      let known = (found[word] >> shift) >> 2u;
      var bins = vec4f();
      for (var i = line.lane; i < params.size; i += LANES) {
        let rank = rank_at(line, i);
        let bits = select(rank.x, rank.y, word == 1u) >> shift;
        if bits >> 2u == known && (word == 0u || by_index || rank.x == found.x) {
          let amount = select(weight_of(rank.x, line.best, line.temperature), 1.0, counted);
          bins += select(vec4f(), vec4f(amount), vec4u(bits & 3u) == vec4u(0u, 1u, 2u, 3u));
        }
      }
      bins = reduce_sum(bins, line.lane, 0u);
      var digit = 0u;
      var sum = before;
      for (var b = 4u; b > 0u && !(sum > goal); b--) {
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
  // float32 holds half a key and an index exactly.
  let high = u32(reduce_max(vec4f(f32(key >> 16u)), lane, 0u).x);
  let low = u32(reduce_max(vec4f(select(0.0, f32(key & 0xffffu), key >> 16u == high)), lane, 0u).x);
  let top = (high << 16u) | low;
  var token = u32(-reduce_max(vec4f(select(-3e38, -f32(place), key == top)), lane, 0u).x);

  let setting = setting_of(number);
  if setting.x > 0.0 {
    let line = Line(start, lane, logit_of(top), setting.x);
    let least = least_of(number);
    var lowest = 0u;
    if least > 0.0 { lowest = key_of(line.best + line.temperature * log(least)); }
    let skips = vec3<bool>(setting.y >= f32(params.size), setting.z >= 1.0, false);
    var last = vec2u();
    for (var step = 0u; step < 3u; step++) {
      if skips[step] { continue; }
      if step == 2u && last.x < lowest { last = vec2u(lowest, 0u); }
      let mass = mass_through(line, last);
      let goals = vec3f(setting.y - 0.5, below(setting.z * mass), setting.w * mass);
      last = reach(line, goals[step], step == 0u, skips.x && skips.y && least <= 0.0);
    }
    token = params.size - 1u - last.y;
  }
  if lane == 0u { output[number] = drawn(token, top); }
}
