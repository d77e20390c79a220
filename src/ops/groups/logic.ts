// Comparisons, choices, and functions of truths and bits: a line an op, or a table of them.
export { logicBinary, logicUnary, where } from '../logic.ts';
