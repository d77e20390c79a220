// flat_index: the number of an invocation, in a grid whose workgroups beyond 65 535 fold into a second dimension.
// consts  WG (invocations a workgroup)
fn flat_index(id: vec3u, groups: vec3u) -> u32 { return id.x + id.y * groups.x * WG; }
