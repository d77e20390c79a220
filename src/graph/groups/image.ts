import { foldBatchNormalization } from '../passes/fold.ts';
import type { Passes } from '../passes/index.ts';
import { passes as movement } from './movement.ts';

/** Kernels of images read channels last: the group has the transposes too. */
export * from '../../ops/groups/image.ts';
export * from './movement.ts';

export const passes: Passes = { ...movement, fold: () => foldBatchNormalization };
