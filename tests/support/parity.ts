import 'vitest';
import { type AdapterCard, adapterName } from '../../src/gpu/adapter.ts';

/** Cases of an op: how many there are, and how many passed. */
export interface Score {
  passed: number;
  total: number;
}

/** What a test adds to the table of docs/parity.md (tools/parity.mjs). */
export interface Parity {
  readonly adapter: string;
  /** Ours, or those of the W3C's WebNN tests. */
  readonly cases: 'own' | 'webnn';
  readonly ops: Record<string, Score>;
}

declare module 'vitest' {
  interface TaskMeta {
    parity?: Parity;
  }
}

/** One more case of an op; `passed` is raised where it passes. */
export function scoreOf({ ops }: Parity, op: string): Score {
  ops[op] ??= { passed: 0, total: 0 };
  ops[op].total++;
  return ops[op];
}

/** Hangs a sheet for scores on a test: the report of the run carries it. */
export function parity(meta: { parity?: Parity }, card: AdapterCard, cases: Parity['cases']): Parity {
  meta.parity = { adapter: adapterName(card), cases, ops: {} };
  return meta.parity;
}
