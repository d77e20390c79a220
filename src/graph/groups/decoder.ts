import type { Passes } from '../passes/index.ts';
import { fuseRow } from '../passes/one_row.ts';

export * from '../../ops/groups/decoder.ts';

export const passes: Passes = { fuseRow: (_options, caps) => fuseRow(caps) };
