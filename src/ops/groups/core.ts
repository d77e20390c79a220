// Ops that are always there: a line an op.
export { concat } from '../concat.ts';
export { binary, cast, unary, where } from '../elementwise.ts';
export { gemm, matmul } from '../matmul.ts';
export { expand, pad, reshape, reverse, slice, transpose } from '../movement.ts';
export { split } from '../split.ts';
export { widen } from '../widen.ts';
