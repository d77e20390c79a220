// A kernel that works line by line: LANES invocations (x) share a line, a workgroup takes LINES of them (y).
fn line_index(group: vec3u, groups: vec3u, local: vec3u) -> u32 { return (group.x + group.y * groups.x) * LINES + local.y; }
