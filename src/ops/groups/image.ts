// Ops of images: a line an op.
export { conv2d } from '../conv2d.ts';
export { batchNormalization, instanceNormalization } from '../normalization.ts';
export { averagePool2d, maxPool2d } from '../pool2d.ts';
export { winogradFilter, winogradInput, winogradOutput } from '../winograd.ts';
