// Ops that move the elements of one tensor about: a line an op.
export { expand, pad, reverse, slice, transpose } from '../movement.ts';
