// Ops of volumes: a line an op.
export { averagePool3d, conv3d, maxPool3d } from '../volume.ts';
