// Poolings that few networks have: a line an op.
export { l2Pool2d, lpPool2d } from '../lp_pool2d.ts';
export { maxPool2dWithIndices } from '../max_pool2d_with_indices.ts';
