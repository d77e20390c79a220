// Ops that read between the elements of a tensor: a line an op.
export { gridSample } from '../grid_sample.ts';
export { resample } from '../resample.ts';
export { resample2d, resize } from '../resize.ts';
export { roiAlign } from '../roi_align.ts';
