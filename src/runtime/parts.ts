import type { Gpu } from '../gpu/gpu.ts';
import type { Step } from '../graph/plan.ts';
import { workOf } from './steps.ts';

/** Milliseconds of a submit, about: a page paints between two, and a signal acts. */
const PART_MS = 100;
/** What a step takes is changed by one measurement by this factor at the most. */
const MOST = 4;

/** A session, as its parts need it. */
interface Encoding {
  readonly gpu: Gpu;
  encode(encoder: GPUCommandEncoder, writes: undefined, from: number, to: number): void;
}

/** How a long run is cut into submits. A part is as many steps as take PART_MS, and one step at the least. */
export class Parts {
  /** Milliseconds of each step: its share by the work, then as its part was measured. */
  readonly #ms: number[];

  /** `ms`: of all steps. */
  constructor(steps: readonly Step[], ms: number) {
    const total = steps.reduce((sum, step) => sum + workOf(step), 0);
    this.#ms = steps.map((step) => (ms * workOf(step)) / total);
  }

  /** The end of the part that begins with step `from`, and the milliseconds that it takes, about. */
  #part(from: number): { to: number; ms: number } {
    let [to, ms] = [from + 1, this.#ms[from]!];
    while (to < this.#ms.length && ms + this.#ms[to]! <= PART_MS) ms += this.#ms[to++]!;
    return { to, ms };
  }

  /**
   * Submits all parts but the last, each when the device has done the one before, and measures them. Gives the first step
   * of the last part. `begin` writes what is before the first step; `alive` throws where the run has to end.
   */
  async ahead(session: Encoding, begin: (encoder: GPUCommandEncoder) => void, alive: () => void): Promise<number> {
    const { gpu } = session;
    for (let from = 0; ; ) {
      const { to, ms } = this.#part(from);
      if (to === this.#ms.length) return from;
      const start = performance.now();
      const [, valid] = gpu.scoped('a run', () => {
        const encoder = gpu.device.createCommandEncoder();
        if (!from) begin(encoder);
        session.encode(encoder, undefined, from, to);
        gpu.submit(encoder);
      });
      await gpu.guard(Promise.all([valid, gpu.device.queue.onSubmittedWorkDone()]), alive);
      alive();
      const factor = Math.min(Math.max((performance.now() - start) / ms, 1 / MOST), MOST);
      for (let i = from; i < to; i++) this.#ms[i]! *= factor;
      from = to;
    }
  }
}
