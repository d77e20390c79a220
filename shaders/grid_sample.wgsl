// grid_sample: input [N,C,extents..] and grid [N,pixels..,rank] give [N,C,pixels..]: each pixel is interpolated where the grid says
//
// A coordinate of the grid goes from -1 to 1 over an axis, the last axis first. Four elements an invocation.
// ports   Elem, Elem4 (elem)   Spread, spread (interpolation)   flat_index (grid)
// consts  WG

// `border`: beyond an axis lie zeros (0), its outermost element (1), its mirror image (2). `aligned` (0 or 1): -1 and 1, and the mirrors, are
// at the centres of the outermost elements, else at their outer edges.
struct Params { count: u32, channels: u32, pixels: u32, rank: u32, depth: u32, height: u32, width: u32, border: u32, aligned: f32 }

@group(0) @binding(1) var<storage, read> input: array<Elem>;
@group(0) @binding(2) var<storage, read> grid: array<Elem>;
@group(0) @binding(3) var<storage, read_write> output: array<Elem4>;

fn mirrored(x: f32, size: f32) -> f32 {
  let low = 0.5 * params.aligned - 0.5;
  let length = size - params.aligned;
  let inside = x >= low && x <= low + length;
  if inside || length <= 0.0 { return clamp(x, low, low + length); }
  let way = abs(x - low);
  let turns = floor(way / length);
  let rest = way - turns * length;
  return clamp(low + select(rest, length - rest, turns % 2.0 == 1.0), 0.0, size - 1.0);
}

// Where a coordinate or a place beyond an axis falls.
fn bordered(x: f32, size: f32) -> f32 {
  switch params.border {
    case 0u: { return x; }
    case 1u: { return clamp(x, 0.0, size - 1.0); }
    default: { return mirrored(x, size); }
  }
}

// The places along an axis of `extent` for a number of the grid.
fn spread_of(at: u32, extent: u32) -> Spread {
  let size = f32(extent);
  let x = ((f32(grid[at]) + 1.0) * (size - params.aligned) - (1.0 - params.aligned)) / 2.0;
  if TAPS == 1u { return spread(x); }
  return spread(bordered(x, size));
}

// An index along an axis, -1 for none.
fn place_of(place: f32, extent: u32) -> i32 {
  let x = bordered(place, f32(extent));
  return select(-1, i32(x), x >= 0.0 && x < f32(extent));
}

fn element(index: u32) -> f32 {
  let plane = index / params.pixels;
  let pixel = index - plane * params.pixels;
  let at = (plane / params.channels * params.pixels + pixel) * params.rank;
  let column = spread_of(at, params.width);
  let row = spread_of(at + 1u, params.height);
  var layer = Spread(0.0, vec4f(1.0));
  if params.rank == 3u { layer = spread_of(at + 2u, params.depth); }
  var sum = 0.0;
  for (var k = 0u; k < select(1u, TAPS, params.rank == 3u); k++) {
    let z = place_of(layer.first + f32(k), params.depth);
    for (var j = 0u; j < TAPS; j++) {
      let y = place_of(row.first + f32(j), params.height);
      if min(z, y) < 0 { continue; }
      let line = ((plane * params.depth + u32(z)) * params.height + u32(y)) * params.width;
      for (var i = 0u; i < TAPS; i++) {
        let x = place_of(column.first + f32(i), params.width);
        if x >= 0 { sum += layer.weights[k] * row.weights[j] * column.weights[i] * f32(input[line + u32(x)]); }
      }
    }
  }
  return sum;
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * 4u >= params.count { return; }
  var v: vec4f;
  for (var j = 0u; j < 4u; j++) { v[j] = element(min(4u * i + j, params.count - 1u)); }
  output[i] = Elem4(v);
}
