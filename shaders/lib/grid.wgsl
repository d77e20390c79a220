// Work items beyond 65 535 workgroups fold into a second dimension; kernels over a flat range number them with this.
// consts  WG (invocations a workgroup)
fn flat_index(id: vec3u, groups: vec3u) -> u32 { return id.x + id.y * groups.x * WG; }
