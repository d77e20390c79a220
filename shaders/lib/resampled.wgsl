// Two axes of a tensor have another length in the output: [outer, in_rows, mid, in_columns, inner] gives [outer, rows, mid, columns, inner].
// An element of the output comes from `row_taps` rows and `column_taps` columns. They stand in `places`, entry by entry: those of row y from
// row_start + y * row_taps on. A place below zero stands for the fill value.
// crossing_of  what entries belong to four consecutive elements of the output
// source_of    where they are in the input, for a row and a column
// ports   Stored, unpack (stored)   fetch (bits)

struct Params { count: u32, inner: u32, columns: u32, in_columns: u32, mid: u32, rows: u32, in_rows: u32,
  column_start: u32, column_taps: u32, row_start: u32, row_taps: u32, fill: u32 }

@group(0) @binding(2) var<storage, read> places: array<i32>;

struct Crossing { outer: Lanes, row: Lanes, mid: Lanes, column: Lanes, inner: Lanes }

fn crossing_of(i: u32) -> Crossing {
  let at = lanes_of(i);
  let pixel = at / params.inner;
  let line = pixel / params.columns;
  let row = line / params.mid;
  let outer = row / params.rows;
  return Crossing(outer, params.row_start + (row - outer * params.rows) * params.row_taps, line - row * params.mid,
    params.column_start + (pixel - line * params.columns) * params.column_taps, at - pixel * params.inner);
}

fn source_of(c: Crossing, row: Places, column: Places) -> Lanes {
  let line = (c.outer * params.in_rows + Lanes(max(row, Places()))) * params.mid + c.mid;
  return (line * params.in_columns + Lanes(max(column, Places()))) * params.inner + c.inner;
}

//# whole
// `inner` is a multiple of 4: the four are side by side in the input too.
alias Lanes = u32;
alias Places = i32;
alias Weights = f32;
fn lanes_of(i: u32) -> Lanes { return 4u * i; }
fn place_at(entry: Lanes) -> Places { return places[entry]; }
fn weight_at(entry: Lanes) -> Weights { return weights[entry]; }
fn bits_at(at: Lanes) -> vec4u { return vec4u(fetch(at), fetch(at + 1u), fetch(at + 2u), fetch(at + 3u)); }
fn floats_at(at: Lanes) -> vec4f { return unpack(input[at / 4u]); }

//# ragged
alias Lanes = vec4u;
alias Places = vec4i;
alias Weights = vec4f;
fn lanes_of(i: u32) -> Lanes { return min(vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u), vec4u(params.count - 1u)); }
fn place_at(entry: Lanes) -> Places { return vec4i(places[entry.x], places[entry.y], places[entry.z], places[entry.w]); }
fn weight_at(entry: Lanes) -> Weights { return vec4f(weights[entry.x], weights[entry.y], weights[entry.z], weights[entry.w]); }
fn bits_at(at: Lanes) -> vec4u { return vec4u(fetch(at.x), fetch(at.y), fetch(at.z), fetch(at.w)); }
fn float_at(at: u32) -> f32 { return unpack(input[at / 4u])[at % 4u]; }
fn floats_at(at: Lanes) -> vec4f { return vec4f(float_at(at.x), float_at(at.y), float_at(at.z), float_at(at.w)); }
