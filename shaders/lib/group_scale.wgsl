// Scales of B, one for GROUP elements along K of a column. kn: [K/GROUP, N], a matrix column is a row of B. nk: [N, K/GROUP], a matrix column
// is a column of B. A 4×4 block of B is within one group.
// IN_GROUPS                   whether there are groups
// scaled(block, k4, n4)       a block of B times its scales
// scaled_quad(v, k4, at)      kn: four columns from 4·at on of a row of the block; nk: four of K of column `at`
// times_scales(v, k4, n4)     the sums of a group for four columns, times their scales

//# none
const IN_GROUPS = false;
fn scaled(block: mat4x4f, k4: u32, n4: u32) -> mat4x4f { return block; }
fn scaled_quad(v: vec4f, k4: u32, at: u32) -> vec4f { return v; }
fn times_scales(v: vec4f, k4: u32, n4: u32) -> vec4f { return v; }

//# kn
const IN_GROUPS = true;
@group(0) @binding(4) var<storage, read> scales: array<vec4f>;
fn scales_of(k4: u32, n4: u32) -> vec4f { return B_SCALE * scales[4u * k4 / GROUP * (params.n / 4u) + n4]; }
fn scaled_quad(v: vec4f, k4: u32, at: u32) -> vec4f { return v * scales_of(k4, at); }
fn times_scales(v: vec4f, k4: u32, n4: u32) -> vec4f { return v * scales_of(k4, n4); }
fn scaled(block: mat4x4f, k4: u32, n4: u32) -> mat4x4f {
  let s = scales_of(k4, n4);
  return mat4x4f(block[0] * s, block[1] * s, block[2] * s, block[3] * s);
}

//# kn_ragged
@group(0) @binding(4) var<storage, read> scales: array<f32>;
fn scales_of(k4: u32, n4: u32) -> vec4f {
  let at = 4u * k4 / GROUP * params.n + 4u * n4;
  return B_SCALE * vec4f(scales[at], scales[at + 1u], scales[at + 2u], scales[at + 3u]);
}
fn scaled_quad(v: vec4f, k4: u32, at: u32) -> vec4f { return v * scales_of(k4, at); }
fn scaled(block: mat4x4f, k4: u32, n4: u32) -> mat4x4f {
  let s = scales_of(k4, n4);
  return mat4x4f(block[0] * s, block[1] * s, block[2] * s, block[3] * s);
}

//# nk
@group(0) @binding(4) var<storage, read> scales: array<f32>;
fn scales_of(k4: u32, n4: u32) -> vec4f {
  let column = min(vec4u(4u * n4) + vec4u(0u, 1u, 2u, 3u), vec4u(params.n - 1u));
  let at = (column * params.k + 4u * k4) / GROUP;
  return B_SCALE * vec4f(scales[at.x], scales[at.y], scales[at.z], scales[at.w]);
}
fn scaled_quad(v: vec4f, k4: u32, at: u32) -> vec4f {
  return v * (B_SCALE * scales[(at * params.k + 4u * k4) / GROUP]);
}
fn times_scales(v: vec4f, k4: u32, n4: u32) -> vec4f { return v * scales_of(k4, n4); }
fn scaled(block: mat4x4f, k4: u32, n4: u32) -> mat4x4f {
  let s = scales_of(k4, n4);
  return mat4x4f(block[0] * s.x, block[1] * s.y, block[2] * s.z, block[3] * s.w);
}
