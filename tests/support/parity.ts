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

/** `Chrome 156`, `Deno 2.9.6`, `Firefox 153`: of this process, where it says so. */
const runtimeName = (): string =>
  globalThis.navigator.userAgent?.match(/(Chrome|Deno|Firefox)\/\d+(\.[1-9]\d*)*/)?.[0].replace('/', ' ') ?? '';

/** Hangs a sheet for scores on a test: the report of the run carries it. */
export function parity(meta: { parity?: Parity }, card: AdapterCard, cases: Parity['cases']): Parity {
  const names = [card.description || adapterName(card), runtimeName()];
  meta.parity = { adapter: names.filter(Boolean).join(', '), cases, ops: {} };
  return meta.parity;
}
