// Ops that make images larger: a line an op.
export { convTranspose2d } from '../conv_transpose2d.ts';
