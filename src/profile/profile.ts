import { throwIfAborted } from '../errors.ts';
import { adapterName, requestAdapter, requestDevice } from '../gpu/adapter.ts';
import { Gpu } from '../gpu/gpu.ts';
import { USAGE } from '../gpu/usage.ts';
import { shapeOf } from '../graph/plan.ts';
import type { Session, TensorInput } from '../runtime/session.ts';
import { dispatch } from '../runtime/steps.ts';
import { median } from '../tune/median.ts';

/** What one dispatch of a plan cost. */
export interface ProfileRow {
  /** Where in the model: `layer1.0.conv1`. */
  readonly label: string;
  /** `matmul_registers[f32,bias_gelu,8x8]`. */
  readonly kernel: string;
  readonly shape: string;
  /** Median over the rounds. */
  readonly ms: number;
  /** Multiply-accumulates of the dispatch. */
  readonly macs: number;
  /** Floating-point operations; a multiply-accumulate is two. */
  readonly flops: number;
  /** Bytes that it reads and writes, each once. */
  readonly bytes: number;
  /** Thousand million operations a second. */
  readonly gflops: number;
  /** Gigabytes a second. */
  readonly gbps: number;
  /** Of the sum of all rows, 0 to 1. */
  readonly share: number;
}

/** What every dispatch of a plan costs on this device. */
export interface Profile {
  readonly adapter: string;
  readonly software: boolean;
  /** Whether the device has timestamp-query; without it there are no rows, only whole runs by the clock. */
  readonly timestamps: boolean;
  readonly plan: string;
  /** A row for each dispatch, in the order in which they run. */
  readonly rows: readonly ProfileRow[];
  /** The sum of all rows, in milliseconds. */
  readonly sumMs: number;
  /** Median of whole runs, all dispatches in one pass. */
  readonly runMs: number;
  /** How often each was measured. */
  readonly rounds: number;
  /** What the model asks for, however its kernels compute it (`rows` say what they do), and the bytes that they move. */
  readonly totals: Work & { readonly parameters: number; readonly bytes: number };
}

/** Of a graph as its definition has it. */
export interface Work {
  readonly macs: number;
  readonly flops: number;
}

/** How a plan is measured. */
export interface ProfileOptions {
  /** How often each dispatch is measured: 1 or more. Default: 5. */
  rounds?: number;
  signal?: AbortSignal | undefined;
}

/**
 * Browsers round timestamps to 65 or 100 µs: there, a dispatch is repeated until its pass takes this long. Where they
 * are exact it runs once: a repeated one finds its weights in the cache, which the run it is part of does not.
 */
const PASS_MS = 4;
const MOST_REPEATS = 64;
const ROUNDED_TO = [65_536n, 100_000n];

/** Profiles a session on a device of its own, which has timestamp-query. Errors: `no-adapter`, `aborted`. */
export async function profileApart(
  build: (gpu: Gpu) => Promise<Session>,
  inputs: Readonly<Record<string, TensorInput>>,
  name: string,
  work: Work & { readonly parameters: number },
  options: ProfileOptions,
): Promise<Profile> {
  const adapter = await requestAdapter();
  const gpu = new Gpu(await requestDevice(adapter, { timestamps: true }), adapter, true);
  try {
    using session = await build(gpu);
    for (const [input, data] of Object.entries(inputs)) session.write(input, data);
    return await profileSession(session, name, work, options);
  } finally {
    gpu.dispose();
  }
}

/**
 * Times every dispatch of a session, whose inputs are written already. In each round the whole plan runs in one pass,
 * then each step in a pass of its own, so that both see the same machine. Quote no throughput from this device: asking
 * for timestamp-query alone can slow one.
 */
async function profileSession(
  session: Session,
  plan: string,
  work: Work & { readonly parameters: number },
  { rounds = 5, signal }: ProfileOptions = {},
): Promise<Profile> {
  const { gpu, steps } = session;
  const alive = (): void => throwIfAborted(signal, 'profiling');
  const timestamps = gpu.device.features.has('timestamp-query');
  const totals = { ...work, bytes: session.plan.steps.reduce((sum, { cost }) => sum + cost.bytes, 0) };
  const head = { adapter: adapterName(gpu.card), software: gpu.card.software, timestamps, plan, rounds, totals };
  if (!timestamps) {
    const runs: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      alive();
      const start = performance.now();
      const encoder = gpu.device.createCommandEncoder();
      session.encode(encoder);
      gpu.submit(encoder);
      await gpu.guard(gpu.device.queue.onSubmittedWorkDone(), alive, signal);
      if (round > 0) runs.push(performance.now() - start);
    }
    return { ...head, rows: [], sumMs: 0, runMs: median(runs) };
  }

  const passes = steps.length + 1; // the whole plan first
  const querySet = gpu.device.createQuerySet({ type: 'timestamp', count: 2 * passes });
  const bytes = 16 * passes;
  const resolved = gpu.createBuffer(bytes, USAGE.query, 'timestamps');
  const staging = gpu.createBuffer(bytes, USAGE.staging, 'timestamps staging');
  const repeats = new Array<number>(steps.length).fill(1);
  let rounded = false;
  try {
    const measure = async (): Promise<number[]> => {
      alive();
      const encoder = gpu.device.createCommandEncoder();
      const writes = (index: number): GPUComputePassTimestampWrites => ({
        querySet,
        beginningOfPassWriteIndex: 2 * index,
        endOfPassWriteIndex: 2 * index + 1,
      });
      session.encode(encoder, writes(0));
      steps.forEach((step, i) => {
        const pass = encoder.beginComputePass({ timestampWrites: writes(i + 1) });
        for (let n = 0; n < repeats[i]!; n++) dispatch(gpu, pass, step);
        pass.end();
        gpu.counters.passes++;
      });
      encoder.resolveQuerySet(querySet, 0, 2 * passes, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
      gpu.submit(encoder);
      const ticks = new BigUint64Array(await gpu.guard(gpu.readStaging(staging, bytes), alive, signal));
      rounded = ROUNDED_TO.some((unit) => ticks.every((tick) => tick % unit === 0n));
      const elapsed = (index: number): number => Math.max(0, Number(ticks[2 * index + 1]! - ticks[2 * index]!)) / 1e6;
      return [elapsed(0), ...repeats.map((count, i) => elapsed(i + 1) / count)];
    };
    await measure(); // caches and clocks warm up
    const first = (await measure()).slice(1);
    first.forEach((ms, i) => {
      if (!rounded) return;
      repeats[i] = Math.min(MOST_REPEATS, Math.max(1, Math.ceil(PASS_MS / Math.max(ms, PASS_MS / MOST_REPEATS))));
    });
    const table: number[][] = [];
    for (let round = 0; round < rounds; round++) table.push(await measure());
    const times = table[0]!.map((_, column) => median(table.map((line) => line[column]!)));
    const sumMs = times.slice(1).reduce((a, b) => a + b, 0);
    const rows = steps.map(({ step }, i): ProfileRow => {
      const ms = times[i + 1]!;
      const { macs, flops, bytes: moved } = step.cost;
      const rate = (amount: number): number => (ms > 0 ? amount / ms / 1e6 : 0);
      return {
        label: step.node.label ?? step.node.op,
        kernel: step.candidate.label,
        shape: shapeOf(step),
        ms,
        macs,
        flops,
        bytes: moved,
        gflops: rate(flops),
        gbps: rate(moved),
        share: sumMs > 0 ? ms / sumMs : 0,
      }; // prettier-ignore
    });
    return { ...head, rows, sumMs, runMs: times[0]! };
  } finally {
    querySet.destroy();
    gpu.destroyBuffer(resolved);
    gpu.destroyBuffer(staging);
  }
}
