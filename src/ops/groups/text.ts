// Ops of sequences: a line an op.
export { attention } from '../attention.ts';
export { gather } from '../gather.ts';
export { layerNormalization } from '../layer_normalization.ts';
export { sample } from '../sample.ts';
export { scatterRows } from '../scatter_rows.ts';
