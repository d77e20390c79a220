// roi_align: input [N,C,H,W], rois [R,4] and batchIndices [R] give [R,C,out_height,out_width]: each element is the average, or the largest, of samples
//
// A region (x1, y1, x2, y2) is cut into cells; a cell is sampled on a grid of `sampling` points a side, or of one point a pixel. A sample
// is interpolated between four pixels. Four elements an invocation.
// ports   Elem, Elem4 (elem)   flat_index (grid)
// consts  WG MAX (the largest of the four weighted pixels of all samples, as ONNX has it)

struct Params { count: u32, images: u32, channels: u32, height: u32, width: u32, out_height: u32, out_width: u32,
  sampling: u32, scale: f32, offset: f32, least: f32 }

@group(0) @binding(1) var<storage, read> input: array<Elem>;
@group(0) @binding(2) var<storage, read> rois: array<Elem>;
@group(0) @binding(4) var<storage, read> batchIndices: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<Elem4>;

// Along an axis: the place of the first sample of a cell, the way to the next, their number.
struct Cell { first: f32, step: f32, samples: u32 }

fn cell_of(low: f32, high: f32, cells: u32, cell: u32) -> Cell {
  let start = low * params.scale - params.offset;
  let length = max(high * params.scale - params.offset - start, params.least);
  var samples = f32(params.sampling);
  if params.sampling == 0u {
    samples = max(ceil(length / f32(cells)), 0.0);
    if f32(cells) * (samples - 1.0) >= length { samples -= 1.0; } // a quotient may be a rounding above an integer
  }
  let step = length / (f32(cells) * samples);
  return Cell(start + (f32(cell) * samples + 0.5) * step, step, u32(max(samples, 0.0)));
}

// Two neighbours on an axis, and their weights; both 0 for a sample that is more than a pixel beyond it.
struct Pair { low: u32, high: u32, weights: vec2f }

fn pair_of(place: f32, extent: u32) -> Pair {
  if !(place >= -1.0 && place <= f32(extent)) { return Pair(0u, 0u, vec2f()); }
  let x = clamp(place, 0.0, f32(extent - 1u));
  let low = u32(x);
  return Pair(low, min(low + 1u, extent - 1u), vec2f(1.0 - fract(x), fract(x)));
}

fn element(index: u32) -> f32 {
  let line = index / params.out_width;
  let plane = line / params.out_height;
  let roi = plane / params.channels;
  let image = min(batchIndices[roi], params.images - 1u);
  let origin = (image * params.channels + plane - roi * params.channels) * params.height * params.width;
  let columns = cell_of(f32(rois[4u * roi]), f32(rois[4u * roi + 2u]), params.out_width, index - line * params.out_width);
  let rows = cell_of(f32(rois[4u * roi + 1u]), f32(rois[4u * roi + 3u]), params.out_height, line - plane * params.out_height);
  var total = 0.0;
  for (var j = 0u; j < rows.samples; j++) {
    let y = pair_of(rows.first + f32(j) * rows.step, params.height);
    for (var i = 0u; i < columns.samples; i++) {
      let x = pair_of(columns.first + f32(i) * columns.step, params.width);
      let upper = origin + y.low * params.width;
      let lower = origin + y.high * params.width;
      let pixels = vec4f(f32(input[upper + x.low]), f32(input[upper + x.high]), f32(input[lower + x.low]), f32(input[lower + x.high]));
      let terms = pixels * y.weights.xxyy * x.weights.xyxy;
      if MAX {
        let most = max(max(terms.x, terms.y), max(terms.z, terms.w));
        total = select(max(total, most), most, i + j == 0u);
      } else {
        total += terms.x + terms.y + terms.z + terms.w;
      }
    }
  }
  return select(total / f32(max(rows.samples * columns.samples, 1u)), total, MAX);
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = flat_index(id, groups);
  if i * 4u >= params.count { return; }
  var v: vec4f;
  for (var j = 0u; j < 4u; j++) { v[j] = element(min(4u * i + j, params.count - 1u)); }
  output[i] = Elem4(v);
}
