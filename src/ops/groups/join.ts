// Ops that join tensors and take them apart: a line an op.
export { concat } from '../concat.ts';
export { split } from '../split.ts';
