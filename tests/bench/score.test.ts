import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { attentionName, layerName, PEER_PRESET, PRESET } from '../../bench/cases.ts';
import { type BenchReport, type BenchRow, caseName } from '../../bench/report.ts';
import { FORMULA, scoreOf, scoreRatio } from '../../bench/score.ts';

const report = JSON.parse(
  readFileSync(new URL(`../../bench/results/${FORMULA.report}`, import.meta.url), 'utf8'),
) as BenchReport;

const row = (name: string, median: number, more: Partial<BenchRow> = {}): BenchRow => ({
  suite: 'matmul',
  name,
  shape: 's',
  dtype: 'float32',
  engine: 'tilewright',
  ms: { median, p10: median, p90: median, n: 3 },
  gflops: 1,
  gbps: 1,
  pctOfRoof: 1,
  ratioToTilewright: 1,
  ...more,
});
const formula = { version: 7, reference: 'R', report: '', ms: { 'a s float32': 8, 'b s float32': 2 } };

describe('the score', () => {
  it('is 100 times the geometric mean of the reference over own times', () => {
    const score = scoreOf([row('a', 2), row('b', 2), row('c', 99)], formula)!;
    expect(score.value).toBeCloseTo(100 * Math.sqrt((8 / 2) * (2 / 2)), 10);
    expect(score).toMatchObject({ version: 7, reference: 'R', cases: ['a s float32', 'b s float32'] });
    expect(score.unsteady).toBeUndefined();
  });

  it('is not there where a case is missing, also where only a peer has it', () => {
    expect(scoreOf([row('a', 2)], formula)).toBeUndefined();
    expect(scoreOf([row('a', 2), row('b', 2, { engine: 'jax-js' })], formula)).toBeUndefined();
  });

  it('names the unsteady figures that it is made of', () => {
    const rows = [row('a', 2, { unsteady: ['drift'] }), row('b', 2)];
    expect(scoreOf(rows, formula)!.unsteady).toEqual(['a s float32']);
  });

  it('is compared with its own version only', () => {
    const score = scoreOf([row('a', 4), row('b', 1)], formula)!;
    expect(scoreRatio({ ...score, value: 200 }, score)).toBeCloseTo(2 / (score.value / 100), 10);
    expect(scoreRatio({ ...score, version: 8 }, score)).toBeUndefined();
    expect(scoreRatio(score, undefined)).toBeUndefined();
  });

  it('has the reference times of the report that it names, whose score is 100', () => {
    const own = new Map(
      report.rows.filter(({ engine }) => engine === 'tilewright').map((each) => [caseName(each), each]),
    );
    for (const [name, ms] of Object.entries(FORMULA.ms))
      expect(ms, name).toBe(Number(own.get(name)!.ms.median.toPrecision(4)));
    expect(scoreOf(report.rows)!.value).toBeCloseTo(100, 1);
    expect(FORMULA.reference).toContain(report.adapter.description);
  });

  it.each([
    ['quick', PRESET.quick, PRESET.quick.resnets],
    ['full', PRESET.full, PRESET.full.resnets],
    ['quick beside peers', PEER_PRESET.quick, PEER_PRESET.quick.resnet],
    ['full beside peers', PEER_PRESET.full, PEER_PRESET.full.resnet],
  ])('can be had of %s', (_name, preset, resnets) => {
    const names = [
      ...preset.matmul.map((n) => `matmul ${n}x${n}x${n} float32`),
      ...preset.gemv.map(([k, n]) => `gemv ${k}x${n} float32`),
      ...preset.conv.map((l) => `conv2d ${layerName(l)} ${l.size}x${l.size}x${l.channels}->${l.out} float32`),
      ...preset.attention.map((shape) => `attention ${attentionName(shape)} float32`),
      ...resnets.map(([name, { image }]) => `${name} 1x3x${image}x${image} float32`),
    ];
    expect(names).toEqual(expect.arrayContaining(Object.keys(FORMULA.ms)));
  });
});
