import { describe, expect, it } from 'vitest';
import { interleave, normwise, summarise } from '../../bench/measure.ts';
import { figuresOf } from '../../bench/report.ts';

describe('measuring', () => {
  it('summarises by linear percentiles', () => {
    expect(summarise([5, 1, 4, 2, 3])).toEqual({ median: 3, p10: 1.4, p90: 4.6, n: 5, samples: [5, 1, 4, 2, 3] });
    expect(summarise([7])).toEqual({ median: 7, p10: 7, p90: 7, n: 1, samples: [7] });
    expect(summarise([1, 2]).median).toBe(1.5);
    expect(summarise([1.23456, 1000.4]).samples).toEqual([1.235, 1000]);
  });

  it('takes the longer of two roofs', () => {
    const ceilings = { fmaF32: 100, fmaF16: 400, readGbps: 10, dispatchUs: 1 };
    const work = { flops: 50e6, bytes: 1e6 }; // in 1 ms: 50 GFLOPS and 1 GB/s
    expect(figuresOf(work, 1, 'float32', ceilings)).toEqual({ gflops: 50, gbps: 1, pctOfRoof: 50 });
    expect(figuresOf(work, 1, 'float16', ceilings).pctOfRoof).toBe(12.5);
    expect(figuresOf({ flops: 1e6, bytes: 8e6 }, 1, 'float32', ceilings).pctOfRoof).toBe(80);
    expect(figuresOf(work, 2, 'int8', { fmaF32: 100, readGbps: 10, dispatchUs: 1 }).pctOfRoof).toBe(25);
  });

  it('compares by norm, and takes nothing for equal that is not there', () => {
    expect(normwise([3, 4], [3, 4])).toBe(0);
    expect(normwise([3, 4.5], [3, 4])).toBeCloseTo(0.1, 12);
    expect(normwise([3], [3, 4])).toBeNaN();
    expect(normwise([3, Number.NaN], [3, 4])).toBeNaN();
  });

  it('interleaves A B B A, each part by itself, until everyone has enough', async () => {
    const calls: string[] = [];
    const sampler = (name: string, value: number) => async () => {
      calls.push(name);
      return [value, 10 * value];
    };
    const samples = await interleave(
      new Map([
        ['a', sampler('a', 1)],
        ['b', sampler('b', 2)],
      ]),
      { rounds: [4, 4], budgetMs: 0, patienceMs: 1e6 },
    );
    expect(calls.join('')).toBe('abbaabba');
    expect(samples.get('b')).toEqual([
      [2, 2, 2, 2],
      [20, 20, 20, 20],
    ]);
  });

  it('lets one who is slow stop after the first sample, and the others go on', async () => {
    const slow = () => new Promise<readonly number[]>((resolve) => setTimeout(() => resolve([30]), 30));
    const samples = await interleave(
      new Map([
        ['slow', slow],
        ['fast', async () => [1]],
      ]),
      { rounds: [3, 5], budgetMs: 1e6, patienceMs: 20 },
    );
    expect([samples.get('slow')![0]!.length, samples.get('fast')![0]!.length]).toEqual([1, 5]);
  });
});
