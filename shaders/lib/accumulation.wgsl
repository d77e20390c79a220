// What running totals are of. none(): the total of no elements. both(a, b): of two neighbouring stretches.
// ports   Total (elem)

//# sum
fn none() -> Total { return Total(0); }
fn both(a: Total, b: Total) -> Total { return a + b; }

//# product
fn none() -> Total { return Total(1); }
fn both(a: Total, b: Total) -> Total { return a * b; }
