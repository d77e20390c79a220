import { describe, expect, it } from 'vitest';
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
