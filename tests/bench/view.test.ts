import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readReport } from '../../bench/read-report.ts';
import type { BenchReport, BenchRow } from '../../bench/report.ts';
import { areScoresComparable, compareRuns, meanRatio, ratioOf, relativeError } from '../../bench/view/compare.ts';
import { csvOf, issueAddress, markdownOf } from '../../bench/view/exports.ts';
import { LONGEST, pack, unpack } from '../../bench/view/packed.ts';
import { distribution, roofline, sizePlot, timePlot } from '../../bench/view/plots.ts';
import { browserName } from '../../bench/view/words.ts';
import { scaleOf } from '../../examples/shared/scale.ts';
import { createRandom } from '../../src/text/random.ts';

const published = (name: string): BenchReport =>
  readReport(readFileSync(new URL(`../../bench/results/${name}.json`, import.meta.url), 'utf8'));
const swiftshader = published('2026-11-28-google-swiftshader');
const llvmpipe = published('2026-11-28-mesa-llvmpipe');

const row = (median: number, more: Partial<BenchRow> = {}): BenchRow => ({
  suite: 'matmul',
  name: 'matmul',
  shape: '8x8x8',
  dtype: 'float32',
  engine: 'tilewright',
  ms: { median, p10: 0.9 * median, p90: 1.2 * median, n: 16 },
  gflops: 3,
  gbps: 1.5,
  pctOfRoof: 25.4,
  ratioToTilewright: 1,
  ...more,
});

/** A run of the newest format with as many rows as a quick one has, and samples. */
const whole = (count: number, uniform = createRandom(2)): BenchReport => ({
  ...swiftshader,
  format: 2,
  gpu: 'A GPU, "mine"',
  preset: 'quick',
  pulse: Array.from({ length: count }, (_, i) => [1000 * i, 1.234 + 0.01 * (i % 7)] as const),
  rows: Array.from({ length: count }, (_, i) => {
    const median = 1 + ((i * 7919) % 997) / 31;
    const samples = Array.from({ length: 15 }, () => Number((median * (0.9 + 0.3 * uniform())).toPrecision(4)));
    return row(median, {
      name: `case ${i % 9}`,
      shape: `${i}x64`,
      ms: { median, p10: 0.9 * median, p90: 1.2 * median, n: 15, samples },
      at: [1000 * i, 1000 * i + 900],
      ...(i % 5 === 0 && { unsteady: ['spread'], tries: 3 }),
    });
  }),
});

describe('ratios of two runs', () => {
  it('are those of the medians in the files, for every case that both have', () => {
    const cases = compareRuns(llvmpipe, swiftshader);
    expect(cases).toHaveLength(llvmpipe.rows.length);
    const found = cases.filter(({ ratio }) => ratio);
    expect(found.length).toBeGreaterThan(60);
    for (const { base, ratio } of found) {
      const same = swiftshader.rows.filter((other) =>
        (['suite', 'name', 'shape', 'dtype', 'engine'] as const).every((field) => other[field] === base[field]),
      );
      expect(same).toHaveLength(1);
      expect(ratio!.value).toBe(base.ms.median / same[0]!.ms.median);
    }
  });

  it('have the uncertainty that normal samples give them', () => {
    // Medians of n normal samples, made a thousand times: their deviation is what the formula says, within a tenth.
    const uniform = createRandom(1);
    const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    const n = 25;
    const medians = Array.from(
      { length: 2000 },
      () => Array.from({ length: n }, () => 10 + normal()).sort((a, b) => a - b)[(n - 1) / 2]!,
    );
    const deviation = Math.sqrt(medians.reduce((sum, median) => sum + (median - 10) ** 2, 0) / medians.length);
    const told = relativeError({ median: 10, p10: 10 - 1.2816, p90: 10 + 1.2816, n })! * 10;
    expect(Math.abs(told / deviation - 1)).toBeLessThan(0.1);
    const { value, plusMinus } = ratioOf(row(4), row(2));
    expect(value).toBe(2);
    expect(plusMinus).toBeCloseTo(1.96 * 2 * Math.SQRT2 * relativeError(row(2).ms)!, 12);
  });

  it('say nothing of their uncertainty where a figure is one sample', () => {
    const one = row(2, { ms: { median: 2, p10: 2, p90: 2, n: 1 } });
    expect(ratioOf(one, row(1))).toEqual({ value: 2, plusMinus: undefined });
    expect(meanRatio([ratioOf(one, row(1)), ratioOf(row(2), row(1))])!.plusMinus).toBeUndefined();
  });

  it('have a geometric mean', () => {
    expect(meanRatio([])).toBeUndefined();
    expect(
      meanRatio([
        { value: 8, plusMinus: 0 },
        { value: 0.5, plusMinus: 0 },
      ])!.value,
    ).toBeCloseTo(2, 12);
  });

  it('are of scores only where version and reference are the same', () => {
    const scored = (version: number, reference = 'r') => ({ score: { version, value: 1, reference, cases: [] } });
    expect(areScoresComparable([scored(1), scored(1)])).toBe(true);
    expect(areScoresComparable([scored(1), scored(2)])).toBe(false);
    expect(areScoresComparable([scored(1), scored(1, 's')])).toBe(false);
    expect(areScoresComparable([scored(1), {}])).toBe(false);
  });
});

describe('a run in a link', () => {
  it('comes back with all that is shown, rounded to five digits', async () => {
    const run = whole(40);
    const { text, samples } = await pack(run);
    expect(samples).toBe(true);
    expect(text).toMatch(/^[\w-]+$/);
    const back = readReport(await unpack(text));
    expect(back).toMatchObject({
      gpu: run.gpu,
      preset: run.preset,
      date: run.date,
      versions: run.versions,
      adapter: run.adapter,
    });
    for (const [i, { ms, ...rest }] of back.rows.entries()) {
      const { ms: own, gflops: _, gbps: __, work: ___, ...other } = run.rows[i]!;
      expect(rest).toMatchObject(other);
      expect(Math.abs(ms.median / own.median - 1)).toBeLessThan(1e-4);
      expect(ms.samples).toHaveLength(own.samples!.length);
      for (const [j, sample] of ms.samples!.entries())
        expect(Math.abs(sample / own.samples![j]! - 1)).toBeLessThan(1e-3);
      expect(Math.abs(rest.gflops / run.rows[i]!.gflops - 1)).toBeLessThan(1e-3);
    }
  });

  it('is under 8 kB whatever the run has: samples go first', async () => {
    for (const count of [1, 40, 80, 160])
      expect((await pack(whole(count))).text.length, `${count} rows`).toBeLessThan(LONGEST);
    expect((await pack(whole(160))).samples).toBe(false);
    for (const run of [swiftshader, llvmpipe]) {
      const { text } = await pack(run);
      expect(text.length).toBeLessThan(LONGEST);
      expect(readReport(await unpack(text)).rows).toHaveLength(run.rows.length);
    }
  });

  it('that is cut off or made by an enemy ends in an error for people', async () => {
    const { text } = await pack(whole(5));
    for (const cut of [0, 1, 10, text.length / 2, text.length - 3])
      await expect(unpack(text.slice(0, cut)), `${cut}`).rejects.toThrow(/damaged|version/);
    await expect(unpack('§$%')).rejects.toThrow('damaged');
    const packed = async (value: unknown): Promise<string> => {
      const stream = new Blob([JSON.stringify(value)]).stream().pipeThrough(new CompressionStream('deflate-raw'));
      return Buffer.from(await new Response(stream).arrayBuffer()).toString('base64url');
    };
    await expect(unpack(await packed([2, [], []]))).rejects.toThrow('of version 2');
    await expect(unpack(await packed([1, [], [[0]], {}, { ceilings: {} }]))).rejects.toThrow('not complete');
    await expect(unpack(await packed({}))).rejects.toThrow('version');
    await expect(unpack(await packed('a'.repeat(3 << 20)))).rejects.toThrow('damaged');
  });

  it('never passes what readReport would refuse', async () => {
    const { text } = await pack(whole(3));
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.nat(63), async (at, letter) => {
        const changed = text.slice(0, at) + letters[letter] + text.slice(at + 1);
        const result = await unpack(changed)
          .then(readReport)
          .catch((error: Error) => error);
        expect(result instanceof Error ? result.message.length : (result as BenchReport).rows.length).toBeGreaterThan(
          0,
        );
      }),
      { numRuns: 200, seed: 5 },
    );
  });
});

describe('what a run is exported as', () => {
  it('is CSV with a line a row, quoted where it must be', () => {
    const lines = csvOf({
      rows: [row(2, { shape: '128x128, 12 heads', name: 'a "b"' }), row(3, { pctOfRoof: null })],
    }).split('\r\n');
    expect(lines[1]).toBe('matmul,"a ""b""","128x128, 12 heads",float32,tilewright,2,1.8,2.4,16,3,1.5,25.4,,,');
    expect(lines[2]).toBe('matmul,matmul,8x8x8,float32,tilewright,3,2.7,3.5999999999999996,16,3,1.5,,,,');
    expect(lines).toHaveLength(4);
  });

  it('is Markdown whose cells no name breaks', () => {
    const run = { ...whole(1), gpu: 'a|b\nc', rows: [row(1, { name: 'x|y', unsteady: ['drift'] })] };
    const text = markdownOf(run);
    expect(text).toContain('a\\|b c');
    expect(text).toContain('x\\|y | 8x8x8 | float32 | 1.00 (unsteady: its samples rise or fall from first to last)');
  });

  it('is an issue that is filled in, where the repository is on GitHub', () => {
    expect(issueAddress(whole(2), '')).toBeUndefined();
    expect(issueAddress(whole(2), 'https://example.org/x/y')).toBeUndefined();
    const address = new URL(issueAddress(whole(80), 'git+https://github.com/o/r.git')!);
    expect(address.origin + address.pathname).toBe('https://github.com/o/r/issues/new');
    expect(address.searchParams.get('body')).toContain('Measured ceilings');
    expect(address.href.length).toBeLessThan(8000);
  });
});

describe('the pictures of a run', () => {
  it('have a mark for every figure, and the measured roof', () => {
    const own = llvmpipe.rows.filter(({ engine }) => engine === 'tilewright');
    const marks = ({ series }: { series: readonly { marks: readonly unknown[] }[] }) =>
      series.flatMap((one) => one.marks);
    expect(marks(sizePlot(llvmpipe))).toHaveLength(own.filter(({ suite }) => suite === 'matmul').length);
    expect(marks(roofline(llvmpipe))).toHaveLength(own.length);
    expect(sizePlot(llvmpipe).rules![0]!.points.map(([, y]) => y)).toEqual([
      llvmpipe.ceilings.fmaF32,
      llvmpipe.ceilings.fmaF32,
    ]);
    const [, ridge] = roofline(llvmpipe).rules![0]!.points;
    expect(ridge![0] * llvmpipe.ceilings.readGbps).toBeCloseTo(ridge![1], 9);
    expect(marks(distribution(llvmpipe.rows[0]))).toHaveLength(3);
    const run = whole(4);
    expect(marks(distribution(run.rows[0]))).toHaveLength(15);
    expect([marks(timePlot(run)).length, timePlot(run).spans!.length]).toEqual([4, 4]);
  });

  it('have scales that hold all values, with two labels at least', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 9 }),
        (log, values) => {
          const scale = scaleOf({ log }, values, [300, 10]);
          for (const value of values) {
            expect(scale.at(value)).toBeLessThanOrEqual(300.001);
            expect(scale.at(value)).toBeGreaterThanOrEqual(9.999);
          }
          expect(scale.ticks.length).toBeGreaterThanOrEqual(2);
          expect(scale.ticks.length).toBeLessThanOrEqual(20);
        },
      ),
      { seed: 3 },
    );
  });
});

it.each([
  [
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36',
    'Chrome 156 on Linux',
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0',
    'Edge 140 on Windows',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15',
    'Safari 26 on macOS',
  ],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0', 'Firefox 141 on Linux'],
  ['no browser', 'no browser'],
])('the browser of %s', (agent, name) => expect(browserName(agent)).toBe(name));
