import { winogradWins } from '../passes/forms.ts';
import type { Passes } from '../passes/index.ts';
import { toWinograd } from '../passes/winograd.ts';

export * from '../../ops/groups/winograd.ts';

export const passes: Passes = {
  winograd: ({ winograd }, caps) => toWinograd(winograd ?? winogradWins(caps), caps),
};
