// zero_points: the zero points of four blocks.

//# none
fn zero_points(at: vec4u) -> vec4i { return vec4i(); }

//# int8
@group(0) @binding(4) var<storage, read> zeroPoint: array<u32>;
fn zero_points(at: vec4u) -> vec4i {
  let four = vec4u(zeroPoint[at.x / 4u], zeroPoint[at.y / 4u], zeroPoint[at.z / 4u], zeroPoint[at.w / 4u]);
  return vec4i(four << (24u - 8u * (at % 4u))) >> vec4u(24u);
}

//# uint8
@group(0) @binding(4) var<storage, read> zeroPoint: array<u32>;
fn zero_points(at: vec4u) -> vec4i {
  let four = vec4u(zeroPoint[at.x / 4u], zeroPoint[at.y / 4u], zeroPoint[at.z / 4u], zeroPoint[at.w / 4u]);
  return vec4i((four >> (8u * (at % 4u))) & vec4u(255u));
}

//# int32
@group(0) @binding(4) var<storage, read> zeroPoint: array<i32>;
fn zero_points(at: vec4u) -> vec4i { return vec4i(zeroPoint[at.x], zeroPoint[at.y], zeroPoint[at.z], zeroPoint[at.w]); }
