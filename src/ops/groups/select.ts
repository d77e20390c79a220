// Ops that pick elements, join tensors and take them apart: a line an op.
export { concat } from '../concat.ts';
export { gatherElements } from '../gather_elements.ts';
export { gatherND } from '../gather_nd.ts';
export { scatterElements, scatterND } from '../scatter.ts';
export { split } from '../split.ts';
export { topK } from '../top_k.ts';
