// Which element argmin and argmax keep; of equals, the first.

//# max
fn better(x: f32, best: f32) -> bool { return x > best; }

//# min
fn better(x: f32, best: f32) -> bool { return x < best; }
