import { foldBatchNormalization } from '../passes/fold.ts';
import { winogradWins } from '../passes/forms.ts';
import type { Passes } from '../passes/index.ts';
import { toWinograd } from '../passes/winograd.ts';

export * as ops from '../../ops/groups/image.ts';

export const passes: Passes = {
  fold: () => foldBatchNormalization,
  winograd: ({ winograd }, caps) => toWinograd(winograd ?? winogradWins(caps), caps),
};
