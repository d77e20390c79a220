// Convolutions in another form, where that is the faster: a line an op.
export { winogradFilter, winogradInput, winogradOutput } from '../winograd.ts';
