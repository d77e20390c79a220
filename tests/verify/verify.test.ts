import { describe, expect, it } from 'vitest';
import { verifyLines } from '../../src/cli/commands/verify.ts';
import type { AdapterCard } from '../../src/gpu/adapter.ts';
import { elementCount } from '../../src/tensor/types.ts';
import { specOf, test } from '../../src/verify/case.ts';
import { CASES } from '../../src/verify/cases/index.ts';
import { placesOf } from '../../src/verify/check.ts';
import { REFERENCES } from '../../src/verify/reference/index.ts';
import { build, coordinates, elementsOf, type RefTensor } from '../../src/verify/reference/tensor.ts';
import { runsOf } from '../../src/verify/run.ts';
import { differenceOf, isWrong, worse } from '../../src/verify/tolerances.ts';
import { makeTensor, PERIOD, randomNumbers } from '../../src/verify/values.ts';
import { judge, type VerifyReport, type VerifyRow } from '../../src/verify/verify.ts';

describe('references', () => {
  it('give at some places what they give there as a whole, for every case', () => {
    for (const one of CASES) {
      if (Object.keys(one.inputs).some((name) => elementCount(specOf(one, name).shape) > 1e5)) continue;
      const random = randomNumbers(one.title);
      const [parts, whole] = [runsOf(one, 'float32'), runsOf(one, 'float32')];
      for (const [run, { want }] of whole.entries())
        for (const [i, { data, mass }] of want.entries()) {
          const places = Uint32Array.from({ length: Math.min(data.length, 20) }, () => random() * data.length);
          const some = elementsOf(parts[run]!.want[i]!, places);
          expect([...(some.data as Float64Array)], one.title).toEqual(Array.from(places, (place) => data[place]));
          if (mass)
            expect([...(some.mass as Float64Array)], one.title).toEqual(Array.from(places, (place) => mass[place]));
        }
    }
  });

  it('compute no more than they are asked for', () => {
    let computed = 0;
    const tensor = build('float32', [1000, 1000], ([y, x]) => {
      computed++;
      return y! * 1000 + x!;
    });
    expect(computed).toBe(0);
    expect([...(elementsOf(tensor, Uint32Array.of(0, 123_456)).data as Float64Array)]).toEqual([0, 123_456]);
    expect(computed).toBe(2);
  });

  it('read large inputs as they are written: again and again the same numbers', () => {
    const shape = [3, PERIOD - 1];
    const { data, reference } = makeTensor({ shape }, 'float32', 0, 'large');
    expect([data.length, reference.data.length]).toEqual([PERIOD, elementCount(shape)]);
    for (const i of [0, 7, PERIOD - 1, PERIOD, 2 * PERIOD + 5, 3 * PERIOD - 4])
      expect(reference.data[i]).toBe(data[i % PERIOD]);
    const double = REFERENCES.get('add')!({ a: reference, b: reference }, {}) as RefTensor;
    expect(elementsOf(double, Uint32Array.of(PERIOD + 9)).data[0]).toBe(Math.fround(data[9]!) * 2);
  });
});

describe('the places that are looked at', () => {
  const tensor = (shape: number[], terms = 1): RefTensor => build('float32', shape, () => 0, terms);

  it('are all where that is little work', () => {
    expect(placesOf(tensor([100, 100], 10), 1e5)).toBeUndefined();
    expect(placesOf(tensor([500], 1e9), 1)).toBeUndefined();
  });

  it('else take in the ends of every axis, both sides of the edges of tiles, and others', () => {
    const shape = [64, 50257];
    const places = placesOf(tensor(shape, 768), 2 ** 19)!;
    expect(places.length).toBeGreaterThan(500);
    expect(places.length).toBeLessThan(5000);
    expect([...places]).toEqual([...new Set(places)].sort((a, b) => a - b));
    expect([places[0], places.at(-1)]).toEqual([0, elementCount(shape) - 1]);
    const columns = Array.from(places, (place) => coordinates(shape, place)[1]!);
    const rests = new Set(columns.map((column) => column % 4));
    expect(rests.size).toBe(4);
    const ends = Array.from(places, (place) => coordinates(shape, place)).filter(
      ([y, x]) => (y === 0 || y === 63) && (x === 0 || x === 50256),
    );
    expect(ends).toHaveLength(4);
    expect(columns.filter((column) => column % 4 === 0 || column % 4 === 3).length).toBeGreaterThan(columns.length / 2);
  });
});

describe('a difference', () => {
  const add = test('add', { a: [4], b: [4] });
  const want: RefTensor = { dataType: 'float32', shape: [4], data: Float64Array.of(1, 2, 3, 4) };

  it('is that of the element which is furthest off for what is allowed there', () => {
    const found = differenceOf(add, [1, 2.001, 3, 4.001], want);
    expect(found).toMatchObject({ where: '[1] (element 1)', got: 2.001, want: 2 });
    expect(found.error).toBeCloseTo(0.001);
    expect(isWrong(found)).toBe(true);
    expect(isWrong(differenceOf(add, [1, 2, 3, 4 + 2 ** -22], want))).toBe(false);
  });

  it('knows where an element of some lies', () => {
    const some = differenceOf(add, [2, 5], want, Uint32Array.of(1, 3));
    expect(some).toMatchObject({ where: '[3] (element 3)', got: 5, want: 4 });
  });

  it('of NaN is wrong, and stays so beside others', () => {
    const [bad, good] = [differenceOf(add, [1, Number.NaN, 3, 4], want), differenceOf(add, [1, 2, 3, 4], want)];
    expect([isWrong(bad), isWrong(good)]).toEqual([true, false]);
    expect([worse(bad, good), worse(good, bad)]).toEqual([bad, bad]);
  });
});

const row = (variant: string, verdict: VerifyRow['verdict'], one = 'case 1'): VerifyRow => ({
  op: 'matmul',
  variant,
  shape: '[2,2] [2,2]',
  case: one,
  label: 'fc',
  count: 2,
  verdict,
  at: '[0,0] (element 0)',
  error: verdict === 'right' ? 1e-7 : 0.5,
  tolerance: 2e-6,
  ...(verdict !== 'right' && { fault: 'off by 0.5' }),
  ms: 3,
});

describe('a report', () => {
  it('says what runs instead of what is wrong, where that is right on the same case', () => {
    const found = [row('a', 'wrong'), row('a', 'wrong', 'case 2'), row('b', 'right'), row('b', 'broken', 'case 2')];
    const running = new Map([
      ['case 1', 'b'],
      ['case 2', 'a'],
    ]);
    const { rows, summary, passed } = judge(found, running);
    expect(rows.map(({ replacedBy }) => replacedBy)).toEqual(['b', undefined, undefined, undefined]);
    expect(summary).toEqual({ checked: 4, right: 1, replaced: 1, failed: 2 });
    expect(passed).toBe(false);
    expect(judge([row('a', 'wrong'), row('b', 'right')], new Map([['case 1', 'b']])).passed).toBe(true);
    expect(judge([], new Map()).passed).toBe(true);
  });

  it('is printed with what is wrong below', () => {
    const report = (model: string | undefined, found: VerifyRow[]): VerifyReport => ({
      adapter: {} as AdapterCard,
      engine: '0',
      date: '2026-01-01T00:00:00.000Z',
      ...(model && { model }),
      ...judge(found, new Map([['case 1', 'b']])),
      aside: { a: 'off by 0.5', c: 'off by 7' },
      experimental: { good: null, bad: 'off by 9' },
      ms: 1500,
    });
    const found = [row('a', 'wrong'), row('b', 'right')];
    const lines = verifyLines(report('m', found));
    expect(lines[1]).toMatch(/^fc\s+2\s+a\s+\[2,2\] \[2,2\]\s+5.0e-1\s+2.0e-6\s+3\s+wrong$/);
    expect(lines.slice(3)).toEqual([
      '',
      'a on case 1',
      '  off by 0.5',
      '  replaced by b',
      'set aside earlier: c',
      'experimental, and right here: good',
      'experimental, and set aside: bad (off by 9)',
      '2 kernels checked on 2 cases in 1.50 s: 1 right, 1 replaced, 0 failed',
      'what runs here is right',
    ]);
    expect(verifyLines(report(undefined, found))[1]).toMatch(/^matmul\s+2\s+2\s+1\s+5.0e-1\s+2.0e-6\s+6$/);
    expect(verifyLines(report('m', [row('b', 'wrong')])).at(-1)).toMatch(/CANNOT BE TRUSTED/);
  });
});
