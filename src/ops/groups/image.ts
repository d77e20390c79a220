// Ops of images: a line an op.

export { batchNormalization } from '../batch_normalization.ts';
export { conv2d } from '../conv2d.ts';
export { averagePool2d, maxPool2d } from '../pool2d.ts';
