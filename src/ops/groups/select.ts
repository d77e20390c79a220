// Ops that pick elements, join tensors and take them apart: a line an op.
export { concat } from '../concat.ts';
export { gatherND } from '../gather_nd.ts';
export { split } from '../split.ts';
export { topK } from '../top_k.ts';
