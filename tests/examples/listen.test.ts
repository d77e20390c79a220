import { describe, expect, it } from 'vitest';
import { Averager } from '../../examples/listen/averager.ts';
import { STEP } from '../../examples/listen/detector.ts';
import { segmentsOf } from '../../examples/listen/segments.ts';
import { soundOf } from '../../examples/listen/sound.ts';
import { Track } from '../../examples/listen/track.ts';

/** Probabilities, each for so many steps of 32 ms. */
const steps = (...runs: [probability: number, count: number][]): number[] =>
  runs.flatMap(([probability, count]) => Array.from({ length: count }, () => probability));

describe('where someone speaks', () => {
  it('begins at 0.5 and ends below 0.35, 100 ms later', () => {
    expect(segmentsOf(steps([0.1, 5], [0.6, 10], [0.1, 10]))).toEqual([{ start: 5, end: 15 }]);
    expect(segmentsOf(steps([0.1, 5], [0.49, 10], [0.1, 10]))).toEqual([]);
    // 0.4 neither begins speech nor ends it.
    expect(segmentsOf(steps([0.4, 5], [0.5, 1], [0.4, 20], [0.34, 10]))).toEqual([{ start: 5, end: 26 }]);
  });

  it('goes on over a short silence', () => {
    expect(segmentsOf(steps([0.9, 10], [0.1, 4], [0.9, 10], [0.1, 10]))).toEqual([{ start: 0, end: 24 }]);
    expect(segmentsOf(steps([0.9, 10], [0.1, 5], [0.9, 10], [0.1, 10]))).toEqual([
      { start: 0, end: 10 },
      { start: 15, end: 25 },
    ]);
  });

  it('is not where a noise is shorter than 250 ms', () => {
    expect(segmentsOf(steps([0.1, 5], [0.9, 7], [0.1, 10], [0.9, 8], [0.1, 10]))).toEqual([{ start: 22, end: 30 }]);
  });

  it('lasts to the end where nothing ends it', () => {
    expect(segmentsOf(steps([0.1, 5], [0.9, 3]))).toEqual([{ start: 5, end: 8 }]);
    expect(segmentsOf(steps([0.1, 5], [0.9, 30], [0.1, 2]))).toEqual([{ start: 5, end: 35 }]);
    expect(segmentsOf([])).toEqual([]);
  });
});

it('a recording is heard in steps, its channels mixed, zeros at its end', () => {
  const left = Float32Array.from({ length: STEP + 3 }, (_, i) => i / 1000);
  const right = left.map((value) => -value / 2);
  const sound = soundOf([left, right]);
  const blocks = [...(sound.blocks() as Iterable<Float32Array>)];
  expect(sound.steps).toBe(2);
  expect(blocks.map(({ length }) => length)).toEqual([STEP, STEP]);
  expect(blocks[0]![100]).toBeCloseTo(0.025, 6);
  expect([...blocks[1]!.subarray(0, 4)].map((value) => value.toFixed(5))).toEqual([
    ...[512, 513, 514].map((i) => (i / 4000).toFixed(5)),
    '0.00000',
  ]);
  expect([...(soundOf([]).blocks() as Iterable<Float32Array>)]).toEqual([]);
});

it('of what was heard the extremes of each step stay', () => {
  const track = new Track();
  track.add(Float32Array.of(0.1, -0.5, 0.25), 0.9);
  track.add(Float32Array.of(0.5, 0.75), 0.2);
  expect(track.peaks).toEqual([
    [-0.5, 0.25],
    [0, 0.75],
  ]);
  expect(track.probabilities).toEqual([0.9, 0.2]);
});

describe('another rate', () => {
  const at = (ratio: number, samples: readonly number[]): number[] => {
    const averager = new Averager(ratio);
    const out: number[] = [];
    for (const sample of samples) averager.add(sample, (value) => out.push(value));
    return out;
  };

  it('of the same rate, and of a whole ratio', () => {
    expect(at(1, [0.25, -1, 0.5])).toEqual([0.25, -1, 0.5]);
    expect(at(3, [1, 2, 6, 4, 4, 4, 9])).toEqual([3, 4]);
    expect(at(0.5, [0.25, -1])).toEqual([0.25, 0.25, -1, -1]);
  });

  it('of a ratio that is not whole: no sample is lost, and the mean stays', () => {
    const ratio = 44_100 / 16_000;
    const ramp = Array.from({ length: 44_100 }, (_, i) => i);
    const out = at(ratio, ramp);
    expect(out).toHaveLength(16_000);
    for (const i of [0, 1, 7999, 15_999]) expect(out[i]).toBeCloseTo((i + 0.5) * ratio - 0.5, 0);
    expect(out.reduce((sum, value) => sum + value, 0) / out.length).toBeCloseTo((44_100 - 1) / 2, 3);
  });
});
