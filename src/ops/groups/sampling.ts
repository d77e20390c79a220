// Ops that change the size of images and other tensors: a line an op.
export { resample } from '../resample.ts';
export { resample2d, resize } from '../resize.ts';
