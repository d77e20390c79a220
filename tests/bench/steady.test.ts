import { describe, expect, it, vi } from 'vitest';
import { type Sample, samplesBetween } from '../../bench/measure.ts';
import { judge, LIMITS, marksOf, type Pulse, pulseNotes, Steadily } from '../../bench/steady.ts';
import { batteryNote, type Visibility, watch } from '../../bench/watch.ts';
import { quantile } from '../../src/profile/quantile.ts';

const samples = (...times: number[]): Sample[] => times.map((ms) => ({ ms, clocked: 100 }));
const QUIET = samples(10, 10.2, 9.9, 10.1, 10, 10.3, 9.8);

describe('a figure', () => {
  it('is steady where samples are alike', () => expect(judge(QUIET, 0.1)).toEqual([]));

  it('is marked for its spread', () => {
    expect(judge(samples(10, 20, 10, 20, 10, 20, 10, 20, 10), 0.1)).toEqual(['spread']);
    expect(judge(samples(10, 14, 10, 14, 10, 14, 10, 14, 10), 0.1)).toEqual([]);
  });

  it('is marked for a drift, up or down', () => {
    const rising = [10, 10.4, 10.8, 11.2, 11.6, 12, 12.4, 12.8, 13.2];
    expect(judge(samples(...rising), 0.1)).toEqual(['drift']);
    expect(judge(samples(...rising.reverse()), 0.1)).toEqual(['drift']);
  });

  it('is marked where the clock is too coarse for one of its samples', () => {
    const short = (clocked: number): Sample[] => QUIET.map(({ ms }, i) => ({ ms, clocked: i === 3 ? clocked : 50 }));
    expect(judge(short(0.1 * LIMITS.quantum - 0.05), 0.1)).toEqual(['quantum']);
    expect(judge(short(0.1 * LIMITS.quantum + 0.05), 0.1)).toEqual([]);
    expect(judge([{ ms: 0.1, clocked: 0 }], 0.1)).toEqual(['quantum']);
  });

  it('is marked where the pulse beside it was slow, for all of the run', () => {
    const pulses = [5, 5, 5, 5, 9, 9, 5, 5, 5, 5];
    expect(marksOf([], 9, pulses)).toEqual({ unsteady: ['load'] });
    expect(marksOf(['spread', 'load'], 5.5, pulses)).toEqual({ unsteady: ['spread'] });
    expect(marksOf(['load'], 5, pulses)).toBeUndefined();
  });
});

describe('measuring again', () => {
  const steadily = (againMs: number, pulses: readonly number[] = [5, 5]) =>
    new Steadily({ quantum: 0.1, againMs, pulse: async () => pulses });
  const samplesTo = (most: number): Sample[] => samples(10, most, 10, most, 10);
  const wide = samplesTo(30);

  it('stops where the figure is steady, and says how often it tried', async () => {
    const take = vi.fn(async () => [take.mock.calls.length < 2 ? wide : QUIET]);
    const [timed] = await steadily(1e6).time(take);
    expect(timed).toMatchObject({ tries: 2, ms: { median: 10 } });
    expect(timed!.unsteady).toBeUndefined();
  });

  it('leaves the mark after three, on the narrowest', async () => {
    const widths = [40, 20, 30];
    const take = vi.fn(async () => [samplesTo(widths[take.mock.calls.length - 1]!)]);
    const [timed] = await steadily(1e6).time(take);
    expect(take).toHaveBeenCalledTimes(3);
    expect(timed!.ms.samples).toEqual([10, 20, 10, 20, 10]);
    expect(timed).toMatchObject({ tries: 3, unsteady: ['spread'] });
  });

  it('does not begin where there is no time for it, and a steady figure is measured once', async () => {
    const take = vi.fn(async () => [wide]);
    const none = steadily(0);
    const [timed] = await none.time(take);
    expect(take).toHaveBeenCalledTimes(1);
    expect(timed!.tries).toBeUndefined();
    expect(none.exhausted).toBe(true);
    const quiet = vi.fn(async () => [QUIET]);
    await steadily(1e6).time(quiet);
    expect(quiet).toHaveBeenCalledTimes(1);
  });

  it('counts what is measured side by side together', async () => {
    const take = vi.fn(async () => (take.mock.calls.length < 2 ? [QUIET, wide] : [QUIET, QUIET]));
    const both = await steadily(1e6).time(take);
    expect(both.map(({ tries, unsteady }) => [tries, unsteady])).toEqual([
      [2, undefined],
      [2, undefined],
    ]);
  });
});

describe('the pulse of a run', () => {
  const run = (times: readonly number[]): Pulse[] => times.map((ms, i) => [1000 * i, ms]);

  it('says nothing of a quiet one', () => expect(pulseNotes(run([5, 5.2, 5.1, 5, 5.3, 5.1, 5.2, 5, 5.1]))).toEqual([]));

  it('tells a trend, and when it was slow', () => {
    const [trend] = pulseNotes(run([5, 5, 5, 5.3, 5.4, 5.5, 5.8, 6, 6]));
    expect(trend).toMatch(/^One same small kernel took 20 % longer in the last third/);
    const [slow] = pulseNotes(run([5, 5, 5, 9, 12, 9, 5, 5, 5]));
    expect(slow).toMatch(/^Between 3\.0 and 5\.0 s .* in 3 of 9 pulses/);
  });
});

describe('times of a stream', () => {
  it('are of as many neighbours as the clock needs', () => {
    const moments = Array.from({ length: 31 }, (_, i) => 2 * i);
    const grouped = samplesBetween(moments, 0.1); // 5 ms at least: three intervals
    expect(grouped).toHaveLength(10);
    expect(grouped.every(({ ms, clocked }) => ms === 2 && clocked === 6)).toBe(true);
    expect(samplesBetween([0, 10, 30], 0.1).map(({ ms }) => ms)).toEqual([10, 20]);
    const [only] = samplesBetween([0, 0, 0.1], 0.1);
    expect(only).toEqual({ ms: 0.05, clocked: 0.1 });
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
  });
});

describe('what makes a run void', () => {
  const page = (state: DocumentVisibilityState) => {
    const events = new EventTarget() as EventTarget & { visibilityState: DocumentVisibilityState };
    events.visibilityState = state;
    return events as typeof events & Visibility;
  };
  const gpu = () => {
    let lose!: (info: GPUDeviceLostInfo) => void;
    const lost = new Promise<GPUDeviceLostInfo>((resolve) => {
      lose = resolve;
    });
    return {
      gpu: { device: { lost } as GPUDevice },
      lose: (message: string) => lose({ message } as GPUDeviceLostInfo),
    };
  };

  it('is a hidden tab, when it comes or from the start', () => {
    const tab = page('visible');
    let now = 0;
    const guard = watch(gpu().gpu, tab, () => now);
    expect(guard.reason()).toBeUndefined();
    now = 2345;
    Object.assign(tab, { visibilityState: 'hidden' });
    tab.dispatchEvent(new Event('visibilitychange'));
    expect(guard.reason()).toBe('the tab was hidden 2.3 s into the run');
    expect(guard.signal.aborted).toBe(true);
    expect(watch(gpu().gpu, page('hidden')).reason()).toMatch(/^the tab was hidden 0\.0 s/);
  });

  it('is not a tab that is hidden after the run', () => {
    const tab = page('visible');
    const guard = watch(gpu().gpu, tab);
    guard.stop();
    Object.assign(tab, { visibilityState: 'hidden' });
    tab.dispatchEvent(new Event('visibilitychange'));
    expect(guard.reason()).toBeUndefined();
  });

  it('is a lost device', async () => {
    const { gpu: own, lose } = gpu();
    const guard = watch(own, undefined);
    lose('the driver was reset');
    await Promise.resolve();
    expect(guard.reason()).toBe('the GPU device was lost: the driver was reset');
  });

  it('is no battery: that is a note', async () => {
    const battery = (charging: boolean) => ({ getBattery: async () => ({ charging, level: 0.56 }) });
    expect(await batteryNote(battery(false))).toMatch(/battery, charged to 56 %/);
    expect(await batteryNote(battery(true))).toBeUndefined();
    expect(await batteryNote({})).toBeUndefined();
    expect(await batteryNote({ getBattery: () => Promise.reject(new Error('not allowed')) })).toBeUndefined();
  });
});
