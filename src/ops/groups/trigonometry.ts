// Trigonometric and hyperbolic functions: a line a table.
export { trigonometry } from '../trigonometry.ts';
