// cumulate: [outer, size, stride] gives the same: the total of the elements up to each along the axis
//
// LANES invocations share a line. They take 4 * LANES consecutive elements at a time, and carry the total on. Element i
// of a line is at origin + i * direction: from the end where direction is -1. late: 1 where the element itself does not
// count.
// ports   Elem, Total (elem)   none, both (accumulation)   lanes_before (lane_totals)   line_index (line)
// consts  LANES LINES

struct Params { lines: u32, size: u32, stride: u32, origin: u32, direction: u32, late: u32 }

@group(0) @binding(1) var<storage, read> input: array<Elem>;
@group(0) @binding(3) var<storage, read_write> output: array<Elem>;

fn place(start: u32, i: u32) -> u32 { return start + (params.origin + i * params.direction) * params.stride; }

// What element i adds to the total.
fn term(start: u32, i: u32) -> Total {
  let own = i - params.late;
  if own < params.size { return Total(input[place(start, own)]); }
  return none();
}

@compute @workgroup_size(LANES, LINES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let wanted = line_index(group, groups, local);
  let line = min(wanted, params.lines - 1u);
  let start = line / params.stride * params.size * params.stride + line % params.stride;
  let end = select(0u, params.size, wanted < params.lines);
  var carried = none();
  for (var step = 0u; step < params.size; step += 4u * LANES) {
    let i = step + 4u * local.x;
    let x = term(start, i);
    let y = both(x, term(start, i + 1u));
    let z = both(y, term(start, i + 2u));
    let w = both(z, term(start, i + 3u));
    let lanes = lanes_before(w, local.x, local.y);
    let before = both(carried, lanes[0]);
    if i < end { output[place(start, i)] = Elem(both(before, x)); }
    if i + 1u < end { output[place(start, i + 1u)] = Elem(both(before, y)); }
    if i + 2u < end { output[place(start, i + 2u)] = Elem(both(before, z)); }
    if i + 3u < end { output[place(start, i + 3u)] = Elem(both(before, w)); }
    carried = both(carried, lanes[1]);
  }
}
