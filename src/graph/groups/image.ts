import { foldBatchNormalization } from '../passes/fold.ts';
import type { Passes } from '../passes/index.ts';

export * as ops from '../../ops/groups/image.ts';

export const passes: Passes = { fold: () => foldBatchNormalization };
