import type { Gpu } from '../gpu/gpu.ts';
import type { Step } from '../graph/plan.ts';
import { PART_MS, workOf } from './steps.ts';

/** What a step takes is changed by one measurement by this factor at the most. */
const MOST = 4;

/** A session, as its parts need it. */
interface Encoding {
  readonly gpu: Gpu;
  encode(encoder: GPUCommandEncoder, writes: undefined, from: number, to: number): void;
}

/** Milliseconds of each step: its share by the work, then as its part was measured. */
const known = new WeakMap<readonly Step[], number[]>();

/**
 * Cuts a long run of `steps`, which take `total` milliseconds or so. A part is as many steps as take PART_MS, and one at
 * the least. Submits all parts but the last, each when the device has done the one before, and measures them. Gives the
 * first step of the last part. `begin` writes what is before the first step; `alive` throws where the run has to end.
 */
export async function ahead(
  session: Encoding,
  steps: readonly Step[],
  total: number,
  begin: (encoder: GPUCommandEncoder) => void,
  alive: () => void,
): Promise<number> {
  const { gpu } = session;
  const work = workOf(steps);
  const times = known.get(steps) ?? steps.map((step) => (total * workOf([step])) / work);
  known.set(steps, times);
  for (let from = 0; ; ) {
    let [to, ms] = [from + 1, times[from]!];
    while (to < steps.length && ms + times[to]! <= PART_MS) ms += times[to++]!;
    if (to === steps.length) return from;
    alive();
    const start = performance.now();
    const [, valid] = gpu.scoped('a run', () => {
      const encoder = gpu.device.createCommandEncoder();
      if (!from) begin(encoder);
      session.encode(encoder, undefined, from, to);
      gpu.submit(encoder);
    });
    await gpu.guard(Promise.all([valid, gpu.device.queue.onSubmittedWorkDone()]), alive);
    const factor = Math.min(Math.max((performance.now() - start) / ms, 1 / MOST), MOST);
    while (from < to) times[from++]! *= factor;
  }
}
