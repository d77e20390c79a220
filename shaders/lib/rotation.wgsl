// Pairs of a head, and the cosines and sines of a row. `u`: a unit of the head; `i`: the same in the tensor.
// turned    what is multiplied by the sine: for x of a pair (x, y) it is -y, for y it is x
// ports   Elem, Elem4 (elem)   Params (rotary_embedding, rotary_cache)

//# vec4
alias Unit = Elem4;
alias Exact = vec4f;

//# ragged
alias Unit = Elem;
alias Exact = f32;

// x and y of a pair are `step` units apart. cos and sin have an angle for each unit, or for each two.
//# apart
@group(0) @binding(2) var<storage, read> cos_table: array<Unit>;
@group(0) @binding(4) var<storage, read> sin_table: array<Unit>;
fn turned(x: Exact, i: u32, u: u32) -> Exact {
  let first = u / params.step % 2u == 0u;
  let other = Exact(input[select(i - params.step, i + params.step, first)]);
  return select(other, -other, first);
}
fn angle_at(row: u32, u: u32) -> u32 { return row * params.angles + (u >> params.shift) % params.angles; }
fn cos_of(row: u32, u: u32) -> Exact { return Exact(cos_table[angle_at(row, u)]); }
fn sin_of(row: u32, u: u32) -> Exact { return Exact(sin_table[angle_at(row, u)]); }

// A unit is two pairs. `angles` counts elements.
//# within
@group(0) @binding(2) var<storage, read> cos_table: array<Elem>;
@group(0) @binding(4) var<storage, read> sin_table: array<Elem>;
fn turned(x: vec4f, i: u32, u: u32) -> vec4f { return vec4f(-x.y, x.x, -x.w, x.z); }
fn angles_at(row: u32, u: u32) -> vec4u { return row * params.angles + ((4u * u + vec4u(0u, 1u, 2u, 3u)) >> vec4u(params.shift)); }
fn cos_of(row: u32, u: u32) -> vec4f {
  let at = angles_at(row, u);
  return vec4f(vec4<Elem>(cos_table[at.x], cos_table[at.y], cos_table[at.z], cos_table[at.w]));
}
fn sin_of(row: u32, u: u32) -> vec4f {
  let at = angles_at(row, u);
  return vec4f(vec4<Elem>(sin_table[at.x], sin_table[at.y], sin_table[at.z], sin_table[at.w]));
}
