import type { Gpu } from '../gpu/gpu.ts';
import { USAGE } from '../gpu/usage.ts';

/** Encodes one compute pass that writes these timestamps at its beginning and its end. */
export type TimedPass = (encoder: GPUCommandEncoder, timestampWrites: GPUComputePassTimestampWrites) => void;

/** Nanoseconds that timestamps may be multiples of: Dawn's, and those of browsers. */
const QUANTA = [65_536n, 100_000n];

/** Passes of a submit: a query set has 4096 queries at the most, and a submit should end within a second. */
const PASSES = 256;

/** Times compute passes by timestamp queries. The device has `timestamp-query`. */
export class PassTimer {
  readonly #querySet: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;
  /** Nanoseconds that all timestamps so far are multiples of; 0 where they are exact. */
  quantum = 0;

  constructor(
    private readonly gpu: Gpu,
    private readonly alive: () => void,
    private readonly signal: AbortSignal | undefined,
    /** What becomes of a timestamp: tests round it as browsers do. */
    private readonly seen: (tick: bigint) => bigint = (tick) => tick,
  ) {
    const bytes = 16 * PASSES;
    this.#querySet = gpu.device.createQuerySet({ type: 'timestamp', count: 2 * PASSES });
    this.#resolved = gpu.createBuffer(bytes, USAGE.query, 'timestamps');
    this.#staging = gpu.createBuffer(bytes, USAGE.staging, 'timestamps staging');
  }

  /** Milliseconds of each pass. They run in order, some hundred to a submit. Errors: `aborted`, `device-lost`. */
  async time(passes: readonly TimedPass[]): Promise<number[]> {
    const times: number[] = [];
    while (times.length < passes.length)
      times.push(...(await this.#submit(passes.slice(times.length, times.length + PASSES))));
    return times;
  }

  async #submit(passes: readonly TimedPass[]): Promise<number[]> {
    this.alive();
    const { gpu } = this;
    const [count, bytes] = [2 * passes.length, 16 * passes.length];
    const encoder = gpu.device.createCommandEncoder();
    passes.forEach((encode, i) => {
      const writes = { beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
      encode(encoder, { querySet: this.#querySet, ...writes });
    });
    encoder.resolveQuerySet(this.#querySet, 0, count, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, bytes);
    gpu.submit(encoder);
    const read = await gpu.guard(gpu.readStaging(this.#staging, bytes), this.alive, this.signal);
    const ticks = Array.from(new BigUint64Array(read), this.seen);
    this.quantum = Number(QUANTA.find((unit) => ticks.every((tick) => tick % unit === 0n)) ?? 0n);
    return passes.map((_, i) => Math.max(0, Number(ticks[2 * i + 1]! - ticks[2 * i]!)) / 1e6);
  }

  dispose(): void {
    this.#querySet.destroy();
    this.gpu.destroyBuffer(this.#resolved);
    this.gpu.destroyBuffer(this.#staging);
  }
}
