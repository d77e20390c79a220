import { attended } from './attention.ts';
import type { Pattern } from './match.ts';
import { learned, normalized } from './normalization.ts';

/** Patterns of graphs of sequences. */
export const sequences: readonly Pattern[] = [normalized, learned, attended];
