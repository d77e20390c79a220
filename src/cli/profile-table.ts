import type { Profile, ProfileRow } from '../profile/profile.ts';
import { count, figures, percent, scaled } from './format.ts';
import { type Column, table } from './table.ts';

export interface ProfileLinesOptions {
  /** A row for each dispatch instead of one for each kernel and shape. */
  readonly steps?: boolean;
  /** How headings are shown. */
  readonly heading?: (text: string) => string;
}

const COSTS: readonly Column[] = ['ms', 'GFLOP', 'GFLOPS', 'GB/s', 'share'].map((title) => ({ title, right: true }));

/** A profile for people: the model's totals, the table, the sum against the whole run. */
export function profileLines(profile: Profile, { steps = false, heading = (text) => text }: ProfileLinesOptions = {}): string[] {
  const { plan, rows, sumMs, runMs, rounds, timestamps, totals } = profile;
  const { parameters, macs, flops, bytes } = totals;
  const title = `${heading(plan)}: ${count(parameters, 'parameter')}, ${scaled(macs)}MAC = ${scaled(flops)}FLOP, ${scaled(bytes, 'B')} moved a run`;
  if (!timestamps) {
    return [title, 'This device has no timestamp-query, so no kernel can be timed alone.', `whole run ${figures(runMs)} ms (median of ${rounds})`];
  }
  const body = steps
    ? table([{ title: 'where', elastic: true }, { title: 'kernel', elastic: true }, { title: 'shape', elastic: true }, ...COSTS], rows.map((row) => [row.label, row.kernel, row.shape, ...costs(row)]), { heading })
    : table([{ title: 'kernel', elastic: true }, { title: 'shape', elastic: true }, { title: 'n', right: true }, ...COSTS], grouped(rows).map(({ row, n }) => [row.kernel, row.shape, String(n), ...costs(row)]), { heading });
  const sum = `${count(rows.length, 'dispatch').replace(/dispatchs$/, 'dispatches')}: sum ${figures(sumMs)} ms, whole run ${figures(runMs)} ms`;
  return [title, ...body, `${sum} (sum is ${percent(sumMs / runMs, 0)} of it; medians of ${rounds})`];
}

const costs = ({ ms, flops, gflops, gbps, share }: ProfileRow): string[] => [
  figures(ms),
  (flops / 1e9).toFixed(4),
  figures(gflops),
  figures(gbps),
  percent(share),
];

/** Dispatches of the same kernel on the same shape as one row with their number, the costliest first. */
export function grouped(rows: readonly ProfileRow[]): { row: ProfileRow; n: number }[] {
  const groups = new Map<string, ProfileRow[]>();
  for (const row of rows) {
    const key = `${row.kernel} ${row.shape}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const total = (group: readonly ProfileRow[], field: 'ms' | 'macs' | 'flops' | 'bytes' | 'share'): number =>
    group.reduce((sum, row) => sum + row[field], 0);
  return [...groups.values()]
    .map((group) => {
      const [ms, macs, flops, bytes, share] = (['ms', 'macs', 'flops', 'bytes', 'share'] as const).map((field) => total(group, field)) as [number, number, number, number, number];
      const rate = (amount: number): number => (ms > 0 ? amount / ms / 1e6 : 0);
      return { n: group.length, row: { ...group[0]!, ms, macs, flops, bytes, share, gflops: rate(flops), gbps: rate(bytes) } };
    })
    .sort((a, b) => b.row.ms - a.row.ms);
}
