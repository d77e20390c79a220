// Ops that are always there: a line an op.
export { binary, cast, unary } from '../elementwise.ts';
export { gemm, matmul } from '../matmul.ts';
export { reshape } from '../reshape.ts';
export { widen } from '../widen.ts';
