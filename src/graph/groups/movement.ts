import type { Passes } from '../passes/index.ts';
import { toChannelsLast } from '../passes/layout.ts';

export * from '../../ops/groups/movement.ts';

export const passes: Passes = { layout: () => toChannelsLast };
