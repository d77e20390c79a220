// Running totals: a line an op.
export { cumulatives } from '../cumulative.ts';
