// normed: a unit of a head over the root mean square of the head, times the scale of queries or of keys (Zhang & Sennrich 2019); as it is
// where heads are not normalised. `head`: of the row; `start`: where it begins in the input; `u`: a unit of it.
// ports   Unit, Exact (rotation)   Params (rotary_cache)
// consts  EPSILON

//# none
fn factor_of(head: u32, start: u32) -> f32 { return 1.0; }
fn normed(x: Exact, head: u32, u: u32, factor: f32) -> Exact { return x; }

//# rms
@group(0) @binding(7) var<storage, read> query_scale: array<Unit>;
@group(0) @binding(8) var<storage, read> key_scale: array<Unit>;
fn normed(x: Exact, head: u32, u: u32, factor: f32) -> Exact {
  if head < params.heads { return x * factor * Exact(query_scale[u]); }
  return x * factor * Exact(key_scale[u]);
}
fn factor_of(head: u32, start: u32) -> f32 {
  var squares = Exact();
  for (var u = 0u; u < params.width; u++) {
    let x = Exact(input[start + u]);
    squares += x * x;
  }
  return 1.0 / sqrt(total(squares) / f32(params.head_size) + EPSILON);
}

//# vec4
fn total(x: vec4f) -> f32 { return dot(x, vec4f(1.0)); }

//# ragged
fn total(x: f32) -> f32 { return x; }
