import { throwIfAborted } from '../src/errors.ts';
import type { Session } from '../src/index.ts';
import type { Timing } from './report.ts';

export interface Effort {
  /** A batch of runs takes at least so long, in ms: clocks and submits cost little of it. */
  readonly batchMs: number;
  /** Samples at most, and at least. */
  readonly rounds: readonly [least: number, most: number];
  /** No new sample after so many ms, once there are the least. */
  readonly budgetMs: number;
}

/** Runs of one submit at most: beyond that the encoder itself becomes the work. */
const MAX_BATCH = 2000;

/**
 * What is left of `whole` after `overhead`. Where noise has eaten more than half of it, the difference says nothing,
 * and `whole`, which is too much rather than too little, stands.
 */
const without = (overhead: number, whole: number): number => (whole > 2 * overhead ? whole - overhead : whole);

/**
 * Milliseconds of one run of a session on the device. Runs are encoded many to a submit, and the clock goes from the
 * submit to its end. What a submit and its wake-up cost besides is taken off: a sample is the slope from a batch of one
 * to a batch of many. A run that is long by itself is taken alone, less an empty submit.
 */
export async function timeSession(session: Session, effort: Effort, signal?: AbortSignal): Promise<Timing> {
  const { gpu } = session;
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
    return quantile(times, 0.5);
  };

  await batch(1); // the first run of a pipeline may still compile
  const one = await typical(1);
  if (one >= effort.batchMs) {
    const empty = await typical(0);
    return sample(effort, async () => without(empty, await batch(1)));
  }
  let runs = 2;
  for (let took = await batch(runs); took - one < effort.batchMs && runs < MAX_BATCH; took = await batch(runs)) {
    const missing = effort.batchMs / Math.max(took - one, 0.01);
    runs = Math.min(MAX_BATCH, Math.ceil(runs * Math.min(10, Math.max(1.5, 1.2 * missing))));
  }
  return sample(effort, async () => {
    const whole = await batch(runs);
    const rest = without(one, whole);
    return rest === whole ? whole / runs : rest / (runs - 1);
  });
}

/** Takes samples, in ms, until there are enough or the time is up. */
export async function sample(
  { rounds: [least, most], budgetMs }: Pick<Effort, 'rounds' | 'budgetMs'>,
  next: () => Promise<number>,
): Promise<Timing> {
  const samples: number[] = [];
  const start = performance.now();
  while (samples.length < least || (samples.length < most && performance.now() - start < budgetMs))
    samples.push(await next());
  return summarise(samples);
}

export interface ContestEffort extends Pick<Effort, 'rounds' | 'budgetMs'> {
  /** Nobody gets a further sample after so many ms of their own, not even to reach the least. */
  readonly patienceMs: number;
}

/**
 * Samples of several, interleaved A B B A, so that what slows the machine for a while slows all alike. Who has enough,
 * or has used up the time, sits the other rounds out. A sample may have several parts, each timed for itself.
 */
export async function interleave<Key>(
  samplers: ReadonlyMap<Key, () => Promise<readonly number[]>>,
  { rounds: [least, most], budgetMs, patienceMs }: ContestEffort,
): Promise<Map<Key, Timing[]>> {
  const own = new Map([...samplers.keys()].map((key) => [key, { samples: [] as (readonly number[])[], spent: 0 }]));
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
  const summaries = [...own].map(([key, { samples }]): [Key, Timing[]] => [
    key,
    samples[0]!.map((_, part) => summarise(samples.map((sample) => sample[part]!))),
  ]);
  return new Map(summaries);
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
    median: quantile(samples, 0.5),
    p10: quantile(samples, 0.1),
    p90: quantile(samples, 0.9),
    n: samples.length,
  };
}

/** Linear between the two nearest samples. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!;
  return low + (sorted[Math.ceil(at)]! - low) * (at % 1);
}
