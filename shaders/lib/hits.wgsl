// after_hits: four elements after all updates of their lines that hit their places, in order. Update j of a line is element `base + j * step` of the updates.
// ports   Value (stored)   updated (updates)   target_of (scatter_targets)   Params (scatter_nd, scatter_elements)

//# searched
// An element looks at all updates of its line.
fn after_hits(before: vec4<Value>, line: vec4u, place: vec4u, inside: vec4<bool>, base: vec4u, step: u32) -> vec4<Value> {
  var total = before;
  for (var j = 0u; j < params.length; j++) {
    let hit = inside & (vec4u(target_of(line.x, j), target_of(line.y, j), target_of(line.z, j), target_of(line.w, j)) == place);
    if any(hit) { total = updated(total, base + j * step, hit); }
  }
  return total;
}

//# chained
// An element goes from its first update to the next (scatter_link). Where there is none, a number is left from before: no update of this line, or one
// that does not hit here, or not after the last.
@group(0) @binding(5) var<storage, read> heads: array<u32>;
@group(0) @binding(6) var<storage, read> links: array<u32>;

const NONE = 0xffffffffu;

fn real(j: u32, least: u32, line: u32, place: u32) -> u32 {
  if j < least || j >= params.length { return NONE; }
  return select(NONE, j, target_of(line, j) == place);
}

fn first_hit(line: u32, place: u32, inside: bool) -> u32 {
  if !inside { return NONE; }
  return real(heads[line * params.extent + place], 0u, line, place);
}

fn next_hit(j: u32, line: u32, place: u32) -> u32 {
  if j == NONE { return NONE; }
  return real(links[line * params.length + j], j + 1u, line, place);
}

fn after_hits(before: vec4<Value>, line: vec4u, place: vec4u, inside: vec4<bool>, base: vec4u, step: u32) -> vec4<Value> {
  var total = before;
  var at = vec4u(
    first_hit(line.x, place.x, inside.x), first_hit(line.y, place.y, inside.y),
    first_hit(line.z, place.z, inside.z), first_hit(line.w, place.w, inside.w));
  while any(at != vec4u(NONE)) {
    let hit = at != vec4u(NONE);
    total = updated(total, select(vec4u(), base + at * step, hit), hit);
    at = vec4u(next_hit(at.x, line.x, place.x), next_hit(at.y, line.y, place.y), next_hit(at.z, line.z, place.z), next_hit(at.w, line.w, place.w));
  }
  return total;
}
