import { attended } from './attention.ts';
import type { Pattern } from './match.ts';
import { learned, normalized } from './normalization.ts';
import { placed } from './rotary.ts';

/** Patterns of graphs of sequences. `masks`: whether the numbers of a mask are read. */
export const sequences = (masks: boolean): readonly Pattern[] => [normalized, learned, placed(), attended(masks)];
