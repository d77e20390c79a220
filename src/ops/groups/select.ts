// Ops that pick, place and repeat elements: a line an op.
export { gatherElements } from '../gather_elements.ts';
export { gatherND } from '../gather_nd.ts';
export { oneHot } from '../one_hot.ts';
export { reverseSequence } from '../reverse_sequence.ts';
export { scatterElements, scatterND } from '../scatter.ts';
export { tile } from '../tile.ts';
export { topK } from '../top_k.ts';
export { triangular } from '../triangular.ts';
