// values[i] = chains of fused multiply-adds from values[i]: how fast an adapter computes where nothing else holds it up.
// values: [invocations]; ports: a type, a number of chains (below).
struct Params {
  rounds: u32,
}

@group(0) @binding(1) var<storage, read_write> values: array<Elem4>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  values[id.x] = chains(values[id.x], Elem4(Elem(0.5)) + Elem(0.001) * values[id.x].yzwx, params.rounds);
}
