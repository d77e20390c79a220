// Functions, comparisons and choices of each element that no model here needs: a line an op.
export { mathBinary, mathUnary, where } from '../math.ts';
