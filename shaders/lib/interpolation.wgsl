// spread: the first of TAPS places around a coordinate, and their weights.

struct Spread { first: f32, weights: vec4f }

//# nearest
// Halves go to the even place.
const TAPS = 1u;
fn spread(x: f32) -> Spread { return Spread(round(x), vec4f(1.0)); }

//# linear
const TAPS = 2u;
fn spread(x: f32) -> Spread {
  let rest = x - floor(x);
  return Spread(floor(x), vec4f(1.0 - rest, rest, 0.0, 0.0));
}

//# cubic
// Keys 1981, with -0.75.
const TAPS = 4u;
fn spread(x: f32) -> Spread {
  let a = -0.75;
  let rest = x - floor(x);
  let near = vec2f(rest, 1.0 - rest);
  let far = 1.0 + near;
  let inner = ((a + 2.0) * near - (a + 3.0)) * near * near + 1.0;
  let outer = ((a * far - 5.0 * a) * far + 8.0 * a) * far - 4.0 * a;
  return Spread(floor(x) - 1.0, vec4f(outer.x, inner, outer.y));
}
