// Ops that pick, place and repeat elements, join tensors and take them apart: a line an op.
export { concat } from '../concat.ts';
export { gatherElements } from '../gather_elements.ts';
export { gatherND } from '../gather_nd.ts';
export { oneHot } from '../one_hot.ts';
export { reverseSequence } from '../reverse_sequence.ts';
export { scatterElements, scatterND } from '../scatter.ts';
export { split } from '../split.ts';
export { tile } from '../tile.ts';
export { topK } from '../top_k.ts';
export { triangular } from '../triangular.ts';
