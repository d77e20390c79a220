// Ops that look along whole axes: a line an op.
export { reductions } from '../reduce.ts';
export { softmax } from '../softmax.ts';
