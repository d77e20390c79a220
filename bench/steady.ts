import { median, quantile } from '../src/profile/quantile.ts';
import { type Sample, summarise } from './measure.ts';
import type { Timing, Unsteady } from './report.ts';

/** From where on a figure is marked. How they were chosen: docs/guides/bench.md. */
export const LIMITS = {
  /** p90 over p10. */
  spread: 1.5,
  /** The median of the last third of the samples over that of the first, or the other way round. */
  drift: 1.2,
  /** Steps of the clock in a sample: fewer, and the figure is off by more than 5 %. */
  quantum: 20,
  /** The pulse before or after a measurement over the run's best. */
  load: 1.3,
} as const;

/** A measurement tries so often in all. */
const MOST_TRIES = 3;

/** A timing with its marks. */
export interface Timed {
  readonly ms: Timing;
  readonly unsteady?: readonly Unsteady[];
  readonly tries?: number;
  /** The slower of the pulses before and after it, in ms. */
  readonly beside: number;
}

/** What samples, in the order taken, tell of themselves. Of fewer than three only the clock is judged. */
export function judge(samples: readonly Sample[], quantum: number): Unsteady[] {
  const times = samples.map(({ ms }) => ms);
  const marks: Unsteady[] = [];
  if (times.length >= 3) {
    if (quantile(times, 0.9) > LIMITS.spread * quantile(times, 0.1)) marks.push('spread');
    if (driftOf(times) > LIMITS.drift) marks.push('drift');
  }
  if (Math.min(...samples.map(({ clocked }) => clocked)) < LIMITS.quantum * quantum) marks.push('quantum');
  return marks;
}

/** The median of the last third over that of the first. */
function growthOf(times: readonly number[]): number {
  const third = Math.ceil(times.length / 3);
  return median(times.slice(-third)) / median(times.slice(0, third));
}

/** How far the last third lies from the first, as a factor of at least 1. */
export function driftOf(times: readonly number[]): number {
  const ratio = growthOf(times);
  return Math.max(ratio, 1 / ratio);
}

/** The run's best: of the quickest tenth, so that one lucky pulse is not the measure of all. */
export const bestPulse = (times: readonly number[]): number => quantile(times, 0.1);

/** The marks of a figure: its own, and `load` where the pulse beside it was slow for a run that had these. */
export function marksOf(
  own: readonly Unsteady[],
  beside: number,
  pulses: readonly number[],
): Pick<Timed, 'unsteady'> | undefined {
  const slow = beside > LIMITS.load * bestPulse(pulses);
  const marks = [...own.filter((mark) => mark !== 'load'), ...(slow ? (['load'] as const) : [])];
  return marks.length ? { unsteady: marks } : undefined;
}

export interface SteadyOptions {
  readonly quantum: number;
  /** Milliseconds in all for measuring again. */
  readonly againMs: number;
  /** Times the pulse, and gives all of the run so far, in ms. */
  readonly pulse: () => Promise<readonly number[]>;
}

/** Measures, and measures again what is unsteady, until it is not or the tries or the time are used up. */
export class Steadily {
  #left: number;

  constructor(private readonly options: SteadyOptions) {
    this.#left = options.againMs;
  }

  /** Whether something unsteady was not measured again, since too little time was left for it. */
  exhausted = false;

  /** Takes samples of one thing or of several side by side. The try with the fewest marks stands; of equal ones, the narrowest. */
  async time(take: () => Promise<readonly (readonly Sample[])[]>, most = MOST_TRIES): Promise<Timed[]> {
    const start = performance.now();
    let best = await this.#try(take);
    const took = performance.now() - start;
    let tries = 1;
    while (best.marks > 0 && tries < most) {
      if (this.#left <= took) {
        this.exhausted = true;
        break;
      }
      const again = performance.now();
      const next = await this.#try(take);
      this.#left -= performance.now() - again;
      tries++;
      if (next.marks < best.marks || (next.marks === best.marks && next.spread < best.spread)) best = next;
    }
    return best.timed.map((timed) => ({ ...timed, ...(tries > 1 && { tries }) }));
  }

  async #try(take: () => Promise<readonly (readonly Sample[])[]>) {
    const all = await take();
    const pulses = await this.options.pulse();
    const beside = Math.max(...pulses.slice(-2));
    const timed = all.map((samples): Timed => {
      const ms = summarise(samples.map(({ ms }) => ms));
      return { ms, beside, ...marksOf(judge(samples, this.options.quantum), beside, pulses) };
    });
    const marks = timed.reduce((sum, { unsteady = [] }) => sum + unsteady.length, 0);
    const spread = Math.max(...timed.map(({ ms }) => ms.p90 / ms.p10));
    return { timed, marks, spread };
  }
}

/** A pulse: milliseconds since the run began, and of the kernel. */
export type Pulse = readonly [at: number, ms: number];

/** What the pulses of a run say of it. */
export function pulseNotes(pulses: readonly Pulse[]): string[] {
  if (pulses.length < 6) return [];
  const times = pulses.map(([, ms]) => ms);
  const growth = growthOf(times);
  const best = bestPulse(times);
  const slow = pulses.filter(([, ms]) => ms > LIMITS.load * best);
  const notes: string[] = [];
  if (growth > 1.1)
    notes.push(
      `One same small kernel took ${Math.round(100 * (growth - 1))} % longer in the last third of the run than in the first: heat, or other work.`,
    );
  if (slow.length)
    notes.push(
      `Between ${seconds(slow[0]![0])} and ${seconds(slow.at(-1)![0])} s the same small kernel took more than ${LIMITS.load} times its best in ${slow.length} of ${times.length} pulses: other work, or a lower clock.`,
    );
  return notes;
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1);
