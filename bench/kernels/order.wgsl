// Where an invocation starts to read, and how far it goes on each time.

// Neighbours read side by side, as GPUs want it.
//# together
fn start_of(invocation: u32) -> u32 { return invocation; }
fn step_of(invocations: u32) -> u32 { return invocations; }

// Each reads a stretch of its own, as CPUs want it.
//# apart
fn start_of(invocation: u32) -> u32 { return invocation * params.rounds * 4; }
fn step_of(invocations: u32) -> u32 { return 1; }
