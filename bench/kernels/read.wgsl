// sums[i] = what invocation i reads of a buffer, added up: how fast memory is read.
// source: [invocations * rounds * 4] of vec4f; sums: [invocations]; ports: the order (below).
struct Params {
  rounds: u32,
}

@group(0) @binding(1) var<storage, read> source: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let invocations = 64u * groups.x;
  let stride = step_of(invocations);
  var at = start_of(id.x);
  var a = vec4f();
  var b = vec4f();
  var c = vec4f();
  var d = vec4f();
  for (var i = 0u; i < params.rounds; i++) {
    a += source[at];
    b += source[at + stride];
    c += source[at + 2 * stride];
    d += source[at + 3 * stride];
    at += 4 * stride;
  }
  sums[id.x] = dot(a + b + c + d, vec4f(1));
}
