// The buffer of the right operand, in units B (operand_b). `sized` as in operand_a.

//# runtime
@group(0) @binding(2) var<storage, read> b: array<B>;

//# sized
@group(0) @binding(2) var<storage, read> b: array<B, B_LENGTH>;
