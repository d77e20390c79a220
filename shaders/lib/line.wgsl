// line_index: the line of an invocation. LANES invocations (x) share a line; a workgroup has LINES lines (y).
fn line_index(group: vec3u, groups: vec3u, local: vec3u) -> u32 { return (group.x + group.y * groups.x) * LINES + local.y; }
