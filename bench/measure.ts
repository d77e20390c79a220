import { throwIfAborted } from '../src/errors.ts';
import type { Session } from '../src/index.ts';
import { median, quantile } from '../src/profile/quantile.ts';
import type { Timing } from './report.ts';

export interface Effort {
  /** A batch of runs takes at least so long, in ms: clocks and submits cost little of it. */
  readonly batchMs: number;
  /** Samples at most, and at least. */
  readonly rounds: readonly [least: number, most: number];
  /** No new sample after so many ms, once there are the least. */
  readonly budgetMs: number;
}

/** Milliseconds of one run, and how many the clock counted for it: over many runs, and less what is no part of them. */
export interface Sample {
  readonly ms: number;
  readonly clocked: number;
}

/** Runs of one submit at most: beyond that the encoder itself becomes the work. */
const MAX_BATCH = 2000;

/**
 * What is left of `whole` after `overhead`. Where noise has eaten more than half of it, the difference says nothing,
 * and `whole`, which is too much rather than too little, stands.
 */
const without = (overhead: number, whole: number): number => (whole > 2 * overhead ? whole - overhead : whole);

/**
 * A stretch of the clock over so many runs, as a sample. A stretch that the clock did not see counts as one step of it: too much
 * rather than too little.
 */
const over = (runs: number, stretch: number, quantum: number): Sample => ({
  ms: Math.max(stretch, quantum) / runs,
  clocked: stretch,
});

/** The smallest step of `performance.now()` that was seen, in ms: 0.1 in a page that is not isolated. */
export function clockQuantum(): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 20; i++) {
    const start = performance.now();
    let now = start;
    while (now === start) now = performance.now();
    least = Math.min(least, now - start);
  }
  return least;
}

/**
 * Samples of one run of a session on the device. Runs are encoded many to a submit, and the clock goes from the
 * submit to its end. What a submit and its wake-up cost besides is taken off: a sample is the slope from a batch of one
 * to a batch of many. A run that is long by itself is taken alone, less an empty submit.
 */
export async function sampleSession(
  session: Session,
  effort: Effort & { readonly quantum: number },
  signal?: AbortSignal,
): Promise<Sample[]> {
  const { gpu } = session;
  const { quantum } = effort;
  const batch = async (runs: number): Promise<number> => {
    throwIfAborted(signal, 'the bench');
    const encoder = gpu.device.createCommandEncoder();
    for (let i = 0; i < runs; i++) session.encode(encoder);
    const start = performance.now();
    gpu.submit(encoder);
    await gpu.guard(gpu.device.queue.onSubmittedWorkDone());
    gpu.check();
    return performance.now() - start;
  };
  const typical = async (runs: number): Promise<number> => {
    const times: number[] = [];
    while (times.length < 3) times.push(await batch(runs));
    return median(times);
  };

  const first = await batch(1); // the first run of a pipeline may still compile
  const second = first > effort.batchMs ? await batch(1) : first;
  const one = second > 10 * effort.batchMs ? second : await typical(1);
  if (one >= effort.batchMs) {
    const empty = await typical(0);
    return sample(effort, async () => over(1, without(empty, await batch(1)), quantum));
  }
  let runs = 2;
  for (let took = await batch(runs); took - one < effort.batchMs && runs < MAX_BATCH; took = await batch(runs)) {
    const missing = effort.batchMs / Math.max(took - one, 0.01);
    runs = Math.min(MAX_BATCH, Math.ceil(runs * Math.min(10, Math.max(1.5, 1.2 * missing))));
  }
  return sample(effort, async () => {
    const whole = await batch(runs);
    const rest = without(one, whole);
    return rest === whole ? over(runs, whole, quantum) : over(runs - 1, rest, quantum);
  });
}

/** Steps of the clock that a sample of whole runs takes at least: it is off by 2 % at most. */
const STEPS = 50;

/** What samples a call that begins and ends on the host: a sample is one run, or as many as the clock needs. Runs it first. */
export async function callSampler(
  run: () => Promise<unknown>,
  quantum: number,
  signal?: AbortSignal,
): Promise<() => Promise<Sample>> {
  const time = async (runs: number): Promise<number> => {
    throwIfAborted(signal, 'the bench');
    const start = performance.now();
    for (let i = 0; i < runs; i++) await run();
    return performance.now() - start;
  };
  await time(1); // may still compile
  const needed = STEPS * quantum;
  const once = await time(1);
  const runs = Math.min(MAX_BATCH, Math.ceil(needed / Math.max(once, needed / MAX_BATCH)));
  let ready = runs === 1 ? once : undefined;
  return async () => {
    const stretch = ready ?? (await time(runs));
    ready = undefined;
    return over(runs, stretch, quantum);
  };
}

/** Times between moments, in ms: as many neighbours are one sample as the clock needs. */
export function samplesBetween(moments: readonly number[], quantum: number): Sample[] {
  const samples: Sample[] = [];
  let start = 0;
  for (let end = 1; end < moments.length; end++) {
    const stretch = moments[end]! - moments[start]!;
    if (stretch < STEPS * quantum && !(samples.length === 0 && end === moments.length - 1)) continue;
    samples.push(over(end - start, stretch, quantum));
    start = end;
  }
  return samples;
}

/** Samples that are enough where they take five times the budget. */
const FEWEST = 3;

/** Takes samples until there are enough or the time is up. */
export async function sample<T>(
  { rounds: [least, most], budgetMs }: Pick<Effort, 'rounds' | 'budgetMs'>,
  next: () => Promise<T>,
): Promise<T[]> {
  const samples: T[] = [];
  const start = performance.now();
  for (;;) {
    samples.push(await next());
    const [count, spent] = [samples.length, performance.now() - start];
    if (count >= most || (count >= least && spent >= budgetMs)) return samples;
    if (count >= FEWEST && spent >= 5 * budgetMs) return samples;
  }
}

export interface ContestEffort extends Pick<Effort, 'rounds' | 'budgetMs'> {
  /** Nobody gets a further sample after so many ms of their own, not even to reach the least. */
  readonly patienceMs: number;
}

/**
 * Samples of several, interleaved A B B A, so that what slows the machine for a while slows all alike. Who has enough,
 * or has used up the time, sits the other rounds out. A sample may have several parts, each timed for itself: samples are by part.
 */
export async function interleave<Key, T>(
  samplers: ReadonlyMap<Key, () => Promise<readonly T[]>>,
  { rounds: [least, most], budgetMs, patienceMs }: ContestEffort,
): Promise<Map<Key, T[][]>> {
  const own = new Map([...samplers.keys()].map((key) => [key, { samples: [] as (readonly T[])[], spent: 0 }]));
  const isDone = (key: Key): boolean => {
    const { samples, spent } = own.get(key)!;
    const { length } = samples;
    return length >= most || (length >= least && spent >= budgetMs) || (length > 0 && spent >= patienceMs);
  };
  for (let order = [...samplers]; order.some(([key]) => !isDone(key)); order.reverse()) {
    for (const [key, sampler] of order) {
      if (isDone(key)) continue;
      const start = performance.now();
      own.get(key)!.samples.push(await sampler());
      own.get(key)!.spent += performance.now() - start;
    }
  }
  const parts = [...own].map(([key, { samples }]): [Key, T[][]] => [
    key,
    samples[0]!.map((_, part) => samples.map((sample) => sample[part]!)),
  ]);
  return new Map(parts);
}

/** ‖got - want‖ / ‖want‖. NaN where anything is NaN or missing, which fails every comparison. */
export function normwise(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) return Number.NaN;
  let [error, size] = [0, 0];
  for (let i = 0; i < want.length; i++) {
    error += (got[i]! - want[i]!) ** 2;
    size += want[i]! ** 2;
  }
  return Math.sqrt(error / size);
}

export function summarise(samples: readonly number[]): Timing {
  return {
    median: median(samples),
    p10: quantile(samples, 0.1),
    p90: quantile(samples, 0.9),
    n: samples.length,
    samples: samples.map((sample) => Number(sample.toPrecision(4))),
  };
}
