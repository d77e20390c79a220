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
export function profileLines(
  profile: Profile,
  { steps = false, heading = (text) => text }: ProfileLinesOptions = {},
): string[] {
  const { plan, rows, sumMs, runMs, rounds, timestamps, totals, attributed, host } = profile;
  const { parameters, macs, flops, bytes } = totals;
  const title = `${heading(plan)}: ${count(parameters, 'parameter')}, ${scaled(macs)}MAC = ${scaled(flops)}FLOP, ${scaled(bytes, 'B')} moved a run`;
  if (!timestamps) {
    return [
      title,
      'This device has no timestamp-query, so no kernel can be timed alone.',
      `whole run ${figures(runMs)} ms (median of ${rounds})`,
    ];
  }
  const where = { title: steps ? 'where' : 'n', elastic: steps, right: !steps };
  const lines = steps
    ? rows.map((row) => ({ row, first: row.name }))
    : grouped(rows).map(({ row, n }) => ({ row, first: String(n) }));
  const body = table(
    [where, { title: 'kernel', elastic: true }, { title: 'shape', elastic: true }, ...COSTS],
    lines.map(({ row, first }) => [first, row.kernel, row.shape, ...costs(row)]),
    { heading },
  );
  const sum = `${count(rows.length, 'dispatch', 'dispatches')}: sum ${figures(sumMs)} ms, whole run ${figures(runMs)} ms`;
  const beside = `${percent(attributed)} of the time is that of named layers; encoding takes ${figures(host.encode.ms)} ms of the CPU, reading back ${figures(host.readBack.ms)} ms`;
  return [title, ...body, beside, `${sum} (sum is ${percent(sumMs / runMs, 0)} of it; medians of ${rounds})`];
}

const costs = ({ ms, flops, gflops, gbps, share }: ProfileRow): string[] => [
  figures(ms),
  flops ? (flops / 1e9).toFixed(5) : '-',
  flops ? figures(gflops) : '-',
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
  return [...groups.values()].map(merge).sort((a, b) => b.row.ms - a.row.ms);
}

function merge(group: readonly ProfileRow[]): { row: ProfileRow; n: number } {
  const sum = (field: 'ms' | 'macs' | 'flops' | 'bytes' | 'share'): number =>
    group.reduce((total, row) => total + row[field], 0);
  const [ms, flops, bytes] = [sum('ms'), sum('flops'), sum('bytes')];
  const rate = (amount: number): number => (ms > 0 ? amount / ms / 1e6 : 0);
  const rates = { gflops: rate(flops), gbps: rate(bytes) };
  return { n: group.length, row: { ...group[0]!, ms, flops, bytes, macs: sum('macs'), share: sum('share'), ...rates } };
}
