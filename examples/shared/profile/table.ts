import type { Profile, ProfileRow } from '../../../src/index.ts';
import { bytes, count, number, percent, whole } from '../format.ts';
import { type Cell, esc, figureCell, sortableTable, textCell } from './html.ts';

/** A figure with a bar, as long as its share of the largest. */
export const barCell = (value: number, most: number): Cell => ({
  html: `<span class="timed"><span class="length" style="--share: ${most > 0 ? value / most : 0}"></span>${esc(number(value))}</span>`,
  value,
});

const TITLES = [
  ...['Layer', 'ms', 'Share', 'p10–p90', 'Bound by', '% of roof', 'GFLOPS', 'GB/s', 'MAC', 'Bytes', 'Kernel', 'Shapes'],
];

function cells(row: ProfileRow, most: number): Cell[] {
  const { name, ms, p10, p90, share, bound, pctOfRoof, gflops, gbps, macs, kernel, shape } = row;
  return [
    textCell(name),
    barCell(ms, most),
    { html: esc(percent(share)), value: share },
    { html: esc(`${number(p10)}–${number(p90)}`), value: p90 - p10 },
    textCell(bound ?? ''),
    figureCell(pctOfRoof, (value) => `${number(value)} %`),
    figureCell(gflops, number),
    figureCell(gbps, number),
    figureCell(macs, count),
    figureCell(row.bytes, bytes),
    textCell(kernel),
    textCell(shape),
  ];
}

/** Every dispatch, in the order in which they run. */
export function rowsTable({ rows }: Profile): string {
  const most = Math.max(...rows.map(({ ms }) => ms));
  return sortableTable(
    'Table of dispatches',
    TITLES,
    rows.map((row) => cells(row, most)),
  );
}

/** The dispatches of each op together. */
export function kindsTable({ kinds }: Profile): string {
  const most = Math.max(...kinds.map(({ ms }) => ms));
  const body = kinds.map(({ op, dispatches, ms, share, macs, bytes: moved }): Cell[] => [
    textCell(op),
    barCell(ms, most),
    { html: esc(percent(share)), value: share },
    { html: whole(dispatches), value: dispatches },
    figureCell(macs, count),
    figureCell(moved, bytes),
  ]);
  return sortableTable('Table of kinds', ['Op', 'ms', 'Share', 'Dispatches', 'MAC', 'Bytes'], body);
}
