// The buffer of the right operand, in units B (operand_b).
@group(0) @binding(2) var<storage, read> b: array<B>;
