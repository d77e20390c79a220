// Functions of each element that no model here needs: a line a table.
export { mathBinary, mathUnary } from '../math.ts';
