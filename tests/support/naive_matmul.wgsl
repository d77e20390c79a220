// naive_matmul: C[N,N] = A[N,N] · B[N,N], one output an invocation: what a first WebGPU program does, and the yardstick
// for what tiling gains.

const N = 512u;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if id.x >= N || id.y >= N { return; }
  var sum = 0.0;
  for (var k = 0u; k < N; k++) {
    sum += a[id.y * N + k] * b[k * N + id.x];
  }
  c[id.y * N + id.x] = sum;
}
