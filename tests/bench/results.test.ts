import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { BenchReport, BenchRow } from '../../bench/report.ts';
import { readReports, resultTables, withTables } from '../../tools/results.mjs';

const PAGE = readFileSync(new URL('../../docs/guides/bench.md', import.meta.url), 'utf8');

const row = (engine: BenchRow['engine'], median: number, more: Partial<BenchRow> = {}): BenchRow => ({
  suite: 'matmul',
  name: 'matmul',
  shape: '8x8x8',
  dtype: 'float32',
  engine,
  ms: { median, p10: median, p90: median, n: 3 },
  gflops: 1,
  gbps: 1,
  pctOfRoof: 25.4,
  ratioToTilewright: median / 2,
  ...more,
});

const report = (date: string, rows: BenchRow[], architecture = 'a'): BenchReport => ({
  adapter: {
    vendor: 'v',
    architecture,
    device: '',
    description: `D ${architecture}`,
    software: false,
    features: [],
    limits: {} as never,
  },
  date,
  versions: {
    tilewright: '1',
    'onnxruntime-web': '1.30.0',
    'jax-js': '0.1.25',
    browser: 'Mozilla/5.0 HeadlessChrome/156.0.0.0',
  },
  ceilings: { fmaF32: 1234.5, readGbps: 12.34, dispatchUs: 1 },
  rows,
  notes: [],
});

describe('the tables of the guide', () => {
  it('are those of the reports in bench/results', () => {
    expect(withTables(PAGE, resultTables(readReports()))).toBe(PAGE);
  });

  it('have a line a case, with the ratio of each peer, and nothing where a peer has no figure', () => {
    const rows = [
      row('tilewright', 2),
      row('onnxruntime-web', 9),
      row('jax-js', 3),
      row('tilewright', 4, { shape: '16x16x16', pctOfRoof: null }),
    ];
    expect(resultTables([report('2026-01-02T00:00:00Z', rows)]).split('\n')).toEqual([
      '**D a**, 2026-01-02, Chrome 156, onnxruntime-web 1.30.0, jax-js 0.1.25. Ceilings: 1235 GFLOPS of float32 multiply-adds, 12.3 GB/s read.',
      '',
      '| case             | Tilewright (of the roof) | onnxruntime-web, WebGPU | jax-js, WebGPU |',
      '| ---------------- | ------------------------ | ----------------------- | -------------- |',
      '| matmul, 8x8x8    | 2.00 ms (25 %)           | 9.00 ms, 4.50×          | 3.00 ms, 1.50× |',
      '| matmul, 16x16x16 | 4.00 ms                  |                         |                |',
    ]);
  });

  it('take the newest report of each adapter that has peers, and none that is void', () => {
    const rows = (median: number) => [row('tilewright', median), row('jax-js', 3)];
    const old = report('2026-01-01T00:00:00Z', rows(111));
    const young = report('2026-01-03T00:00:00Z', rows(333));
    const other = report('2026-01-02T00:00:00Z', rows(222), 'b');
    const alone = report('2026-01-04T00:00:00Z', [row('tilewright', 444)]);
    const hidden = { ...report('2026-01-05T00:00:00Z', rows(555)), void: 'the tab was hidden' };
    const text = resultTables([young, old, other, alone, hidden]);
    expect(['333', '222', '111', '444', '555'].filter((median) => text.includes(median))).toEqual(['333', '222']);
  });

  it('need their marks', () => expect(() => withTables('nothing', 'tables')).toThrow('no lines'));
});
