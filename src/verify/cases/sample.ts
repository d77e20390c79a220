import { float32, type OpCase, test, type Values, valued } from '../case.ts';
import { randomNumbers } from '../values.ts';

type Row = [temperature: number, topK: number, topP: number, minP?: number];

/** Settings, a row for each line: temperature, top-k, top-p, a draw that differs between lines and runs, and min-p. */
const settings = (lines: number, ...rows: Row[]) =>
  float32([lines, 5], (run) => {
    const random = randomNumbers(`${lines} lines, run ${run}`);
    const row = ([temperature, topK, topP, minP = 0]: Row) => [temperature, topK, topP, random(), minP];
    return Array.from({ length: lines }, (_, i) => row(rows[i % rows.length]!)).flat();
  });

const ALL = 1e9;
const NOTHING = Number.NEGATIVE_INFINITY;
const spread: Values = { low: -6, high: 6 };

/** Every combination, in lines next to one another. */
const MIXED: Row[] = [
  [1, ALL, 1],
  [0, 5, 0.5],
  [0.7, 9, 1],
  [1.5, ALL, 0.83],
  [2, 20, 0.61],
  [1, 1, 1],
  [0.9, ALL, 1e-6],
  [1e-3, 3, 0.9],
  [1, ALL, 1, 0.05],
  [0.7, 20, 1, 0.3],
  [1.5, ALL, 0.9, 0.02],
  [2, 15, 0.95, 0.4],
  [1, ALL, 1, 1],
];

export const cases: readonly OpCase[] = [
  test('sample', { logits: [9, 8], settings: settings(9, [0, 1, 1]) }),
  test(
    'sample',
    { logits: valued([9, 7], 'few'), settings: settings(9, [0, 1, 1]) },
    {},
    { note: 'of equals, the first' },
  ),
  test('sample', { logits: valued([40, 37], spread), settings: settings(40, ...MIXED) }),
  test('sample', { logits: valued([2, 16, 64], spread), settings: { ...settings(32, ...MIXED), shape: [2, 16, 5] } }),
  test('sample', { logits: valued([24, 52], 'few'), settings: settings(24, ...MIXED) }, {}, { note: 'many equals' }),
  // More tokens than a workgroup reads at a time, and than a digit of their index holds.
  test('sample', { logits: valued([8, 1030], spread), settings: settings(8, ...MIXED) }),
  test('sample', {
    logits: valued([2, 50257], { low: -12, high: 12 }),
    settings: settings(2, [0.8, 40, 0.95], [1, ALL, 0.9, 0.01]),
  }),
  test('sample', { logits: [3, 1], settings: settings(3, ...MIXED) }),
  test(
    'sample',
    { logits: valued([8, 4], [NOTHING, 2, NOTHING, 1.5]), settings: settings(8, ...MIXED) },
    {},
    { note: 'what is masked is not drawn' },
  ),
  test(
    'sample',
    {
      logits: valued(
        [6, 3],
        [
          ...[0, Number.NaN, 1],
          ...[0, Number.POSITIVE_INFINITY, Number.NaN],
          ...[NOTHING, NOTHING, NOTHING],
          ...[NOTHING, -60000, NOTHING],
          ...[NOTHING, 0, -Number.NaN],
          ...[-0, 0, NOTHING],
        ],
      ),
      settings: settings(6, [0, 1, 1], [1, 2, 0.9]),
    },
    {},
    { note: 'what nothing can be drawn from' },
  ),
];
