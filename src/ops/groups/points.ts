// Ops that read images at points that another tensor names: a line an op.
export { gridSample } from '../grid_sample.ts';
export { roiAlign } from '../roi_align.ts';
