import type { ChartData, ChartRule, ChartSeries } from '../../examples/shared/chart.ts';
import { number, percent, whole } from '../../examples/shared/format.ts';
import type { BenchRow, Ceilings } from '../report.ts';
import { caseName, ownRows, rowText, type Shown, suiteTitle, timingText } from './words.ts';

const COLOURS: Readonly<Record<string, string>> = {
  float32: '--series-1',
  float16: '--series-3',
  int8: '--series-2',
  w8a8: '--series-4',
  int4: '--series-5',
};
const PEER = '--series-6';
const figure = (value: number): string => (value ? number(value) : '0');
const short = (value: number): string => `${Number(value.toPrecision(3))}`;

/** Rows as a series a type, in the order in which types come. */
function byType(rows: readonly BenchRow[], mark: (row: BenchRow) => [x: number, y: number]): ChartSeries[] {
  return [...new Set(rows.map(({ dtype }) => dtype))].map((dtype) => ({
    name: dtype,
    colour: COLOURS[dtype] ?? PEER,
    marks: rows
      .filter((row) => row.dtype === dtype)
      .map((row) => ({ row, at: mark(row) }))
      .filter(({ at: [x, y] }) => x > 0 && y > 0)
      .map(({ row, at: [x, y] }) => ({ x, y, text: rowText(row) })),
  }));
}

/** The roofs of arithmetic, for the types that are drawn. */
function peaks({ fmaF32, fmaF16, dotInt8 }: Ceilings, types: ReadonlySet<string>) {
  const all = [
    { name: 'roof of float32', type: 'float32', gflops: fmaF32 },
    { name: 'roof of float16', type: 'float16', gflops: types.has('float16') ? fmaF16 : undefined },
    { name: 'roof of int8 dot products', type: 'w8a8', gflops: types.has('w8a8') ? dotInt8 : undefined },
  ];
  return all.flatMap(({ name, type, gflops }) => (gflops ? [{ name, colour: COLOURS[type]!, gflops }] : []));
}

/** GFLOPS of the matrix product against its size, with the roofs of arithmetic. */
export function sizePlot({ rows, ceilings }: Shown): ChartData {
  const own = ownRows(rows).filter(({ suite }) => suite === 'matmul');
  const sizeOf = ({ shape }: BenchRow): number => Number.parseInt(shape, 10);
  const series = byType(own, (row) => [sizeOf(row), row.gflops]).map((one) => ({
    ...one,
    line: 'straight' as const,
    marks: one.marks.toSorted((a, b) => a.x - b.x),
  }));
  const types = new Set<string>(own.map(({ dtype }) => dtype));
  const rules = (ceilings ? peaks(ceilings, types) : []).map(
    ({ name, colour, gflops }): ChartRule => ({
      name: `${name}, ${number(gflops)}`,
      colour,
      points: [
        [Number.NEGATIVE_INFINITY, gflops],
        [Number.POSITIVE_INFINITY, gflops],
      ],
    }),
  );
  const ticks = [...new Set(own.map(sizeOf))].sort((a, b) => a - b);
  return {
    label: 'GFLOPS of the matrix product against its size',
    x: { title: 'M = N = K', log: true, format: (value) => `${value}`, ticks },
    y: { title: 'GFLOPS', log: true, format: short },
    series,
    rules,
  };
}

/** Every kernel by what it computes a byte and by how fast, under the roofs of memory and arithmetic. */
export function roofline({ rows, ceilings }: Shown): ChartData {
  const own = ownRows(rows).filter(({ gflops, gbps }) => gflops > 0 && gbps > 0);
  const intensity = ({ gflops, gbps }: BenchRow): number => gflops / gbps;
  const least = Math.min(...own.map(intensity), 1);
  const types = new Set<string>(own.map(({ dtype }) => dtype));
  const rules = (ceilings ? peaks(ceilings, types) : []).map(
    ({ name, colour, gflops }): ChartRule => ({
      name: `${name}: ${number(ceilings!.readGbps)} GB/s, then ${number(gflops)} GFLOPS`,
      colour,
      points: [
        [least, least * ceilings!.readGbps],
        [gflops / ceilings!.readGbps, gflops],
        [Number.POSITIVE_INFINITY, gflops],
      ],
    }),
  );
  const ridge = ceilings ? ceilings.fmaF32 / ceilings.readGbps : least;
  return {
    label: 'Roofline: GFLOPS against operations a byte',
    x: { title: 'FLOP a byte', log: true, format: short, includes: [least, 4 * ridge] },
    y: { title: 'GFLOPS', log: true, format: short },
    series: byType(own, (row) => [intensity(row), row.gflops]),
    rules,
  };
}

/** The samples of a row, sorted: the share of them that took so long or less. */
export function distribution(row: BenchRow | undefined): ChartData {
  const { samples, median, p10, p90 } = row?.ms ?? { median: 1, p10: 1, p90: 1 };
  const sorted = [...(samples ?? [])].sort((a, b) => a - b);
  const points: readonly (readonly [number, number])[] = samples?.length
    ? sorted.map((ms, i) => [ms, (i + 1) / sorted.length])
    : [
        [p10, 0.1],
        [median, 0.5],
        [p90, 0.9],
      ];
  const upright = (name: string, at: number, colour: string): ChartRule => ({
    name: `${name}, ${number(at)} ms`,
    colour,
    points: [
      [at, 0],
      [at, 1],
    ],
  });
  return {
    label: row ? `Times of ${caseName(row)}` : 'Times of a case',
    x: { title: 'ms', format: short },
    y: {
      title: 'share',
      format: (value) => percent(value).replace('.0', ''),
      ticks: [0, 0.25, 0.5, 0.75, 1],
      includes: [0, 1],
    },
    series: row
      ? [
          {
            name: samples?.length ? 'samples' : 'quantiles (the report has no samples)',
            colour: COLOURS[row.dtype] ?? PEER,
            line: 'steps',
            marks: points.map(([ms, share]) => ({
              x: ms,
              y: share,
              text: `${percent(share)} of the samples of ${caseName(row)} took ${number(ms)} ms or less`,
            })),
          },
        ]
      : [],
    rules: row
      ? [upright('p10', p10, '--line-strong'), upright('median', median, '--ink'), upright('p90', p90, '--line-strong')]
      : [],
  };
}

/** The pulse over the run, and when each case ran. */
export function timePlot({ pulse = [], rows }: Shown): ChartData {
  const seconds = (ms: number): number => ms / 1000;
  const suites = [...new Set(rows.map(({ suite }) => suite))];
  const timed = rows.flatMap((row) => (row.at ? [{ row, at: row.at }] : []));
  return {
    label: 'Time of one same small kernel over the run',
    x: { title: 's since the start', format: short, includes: [0] },
    y: { title: 'ms of the pulse', format: short, includes: [0] },
    series: [
      {
        name: 'pulse: one same small kernel between cases',
        colour: '--series-1',
        line: 'straight',
        marks: pulse.map(([at, ms]) => ({
          x: seconds(at),
          y: ms,
          text: `At ${number(seconds(at))} s the pulse took ${number(ms)} ms`,
        })),
      },
    ],
    spans: timed.map(({ row, at: [from, to] }) => ({
      from: seconds(from),
      to: seconds(to),
      colour: `--series-${1 + (suites.indexOf(row.suite) % 6)}`,
      text: `${suiteTitle(row.suite)}, ${number(seconds(from))} to ${number(seconds(to))} s: ${caseName(row)}, ${timingText(row)}`,
    })),
  };
}

/** A bar among others: its length, and what stands beside it. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly text: string;
  readonly colour: string;
}

/** GFLOPS of the cases of a suite, each a bar. */
export const suiteBars = (rows: readonly BenchRow[], suite: string): Bar[] =>
  rows
    .filter((row) => row.suite === suite)
    .map((row) => ({
      label: caseName(row),
      value: row.gflops,
      text: `${figure(row.gflops)} GFLOPS`,
      colour: row.engine === 'tilewright' ? (COLOURS[row.dtype] ?? PEER) : PEER,
    }));

/** Counts in words: `24 cases`. */
export const casesText = (count: number): string => `${whole(count)} case${count === 1 ? '' : 's'}`;
