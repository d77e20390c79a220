import { throwIfAborted } from '../errors.ts';
import { adapterName, requestAdapter, requestDevice } from '../gpu/adapter.ts';
import { Gpu } from '../gpu/gpu.ts';
import { USAGE } from '../gpu/usage.ts';
import type { Graph } from '../graph/ir.ts';
import { type Plan, type Step, shapeOf } from '../graph/plan.ts';
import type { Work } from '../graph/work.ts';
import { integer, number, type Rules, signal, valuesOf } from '../options.ts';
import { type HostData, wordBytes } from '../tensor/types.ts';
import { labelsOf, layerNames } from './names.ts';
import { median, quantile } from './quantile.ts';
import { type Bound, type Ceilings, roofOf } from './roof.ts';
import { PassTimer, type TimedPass } from './timer.ts';
import { type KindTotal, kindsOf, type LayerTotal, layersOf } from './totals.ts';

/** Milliseconds over the rounds: the median, and what a tenth of the rounds are below and above. */
export interface Spread {
  readonly ms: number;
  readonly p10: number;
  readonly p90: number;
}

/** What one dispatch of a plan cost. */
export interface ProfileRow extends Spread {
  /** Where in the model: `layer1.0.conv1`. An op's name where the graph has no label. */
  readonly label: string;
  /** The label, and what was fused into its steps: `layer1.0.conv1 + bn1 + relu`. */
  readonly name: string;
  /** `conv2d`, under the engine's name. */
  readonly op: string;
  /** `matmul_registers[f32,bias_gelu,8x8]`. */
  readonly kernel: string;
  readonly shape: string;
  /** The type of what it writes. */
  readonly dataType: string;
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
  /** Of the lower roof: absent without `ceilings`. */
  readonly pctOfRoof?: number;
  /** What holds it up: absent without `ceilings`. */
  readonly bound?: Bound;
}

/** What a run costs beside its dispatches, each in milliseconds. */
export interface HostCosts {
  /** Encoding and submitting, on the CPU. */
  readonly encode: Spread;
  /** From the beginning of encoding until the device has done all. */
  readonly whole: Spread;
  /** Copying the outputs and bringing them to the host, after that. */
  readonly readBack: Spread;
}

/** What every dispatch of a plan costs on this device. */
export interface Profile {
  readonly adapter: string;
  readonly software: boolean;
  /** Whether the device has timestamp-query; without it there are no rows, only whole runs by the clock. */
  readonly timestamps: boolean;
  /** Nanoseconds that timestamps are multiples of: 100,000 in browsers; 0 where they are exact. */
  readonly quantum: number;
  readonly plan: string;
  /** A row for each dispatch, in the order in which they run. */
  readonly rows: readonly ProfileRow[];
  /** The rows of each op together, the costliest first. */
  readonly kinds: readonly KindTotal[];
  /** The rows by the names of their layers, as a tree. */
  readonly layers: readonly LayerTotal[];
  /** The sum of all rows, in milliseconds. */
  readonly sumMs: number;
  /** Median of whole runs, all dispatches in one pass. */
  readonly runMs: number;
  /** Whole runs over the rounds: a wide one tells of a machine that had other work. */
  readonly run: Spread;
  /**
   * Of a whole run, or of all rows where they are longer together, what the rows have that bear a name of the graph: 0 to 1.
   * The median over the rounds: what slows the machine for a while slows both.
   */
  readonly attributed: number;
  /** The rest of `runMs`, or of `sumMs` where that is longer. */
  readonly unattributedMs: number;
  readonly host: HostCosts;
  /** How often each was measured. */
  readonly rounds: number;
  /** What the model asks for, however its kernels compute it (`rows` say what they do), and the bytes that they move. */
  readonly totals: Work & { readonly parameters: number; readonly bytes: number };
  /** What rows were held against, where the call gave it. */
  readonly ceilings?: Ceilings;
}

/** How a plan is measured. */
export interface ProfileOptions {
  /** How often each dispatch is measured: 1 or more. Default: 5. */
  rounds?: number;
  /** What the adapter can do at most: with it, rows tell their share of the roof, and what bounds them. */
  ceilings?: Ceilings | undefined;
  signal?: AbortSignal | undefined;
}

/** What the options of `profile` may be. */
export const PROFILE_RULES: Rules<ProfileOptions> = { rounds: integer(1, 1e6), ceilings: valuesOf(number(0)), signal };

/** A session, as the profiler needs it. */
export interface Profiled {
  readonly gpu: Gpu;
  readonly plan: Plan;
  /** The graph before the passes. */
  readonly given: Graph;
  write(name: string, data: HostData | readonly number[] | readonly bigint[]): void;
  /** Encodes the steps from `from` to `to` as one pass, so many times. */
  encode(
    encoder: GPUCommandEncoder,
    timestampWrites?: GPUComputePassTimestampWrites,
    from?: number,
    to?: number,
    times?: number,
  ): void;
  outputBuffer(name: string): GPUBuffer;
  dispose(): void;
}

/** What is profiled. */
export interface Subject {
  /** Builds it on the profiler's device. */
  build(gpu: Gpu): Promise<Profiled>;
  readonly inputs: Readonly<Record<string, Parameters<Profiled['write']>[1]>>;
  /** The name of the plan. */
  readonly plan: string;
  readonly work: Work & { readonly parameters: number };
}

/** Profiles a session on a device of its own, which has timestamp-query. Errors: `no-adapter`, `aborted`. */
export async function profileApart(
  subject: Subject,
  options: ProfileOptions,
  /** What becomes of a timestamp: tests round it as browsers do. */
  seen?: (tick: bigint) => bigint,
): Promise<Profile> {
  const adapter = await requestAdapter();
  const gpu = new Gpu(await requestDevice(adapter, { timestamps: true }), adapter, true);
  try {
    const session = await subject.build(gpu);
    try {
      for (const [input, data] of Object.entries(subject.inputs)) session.write(input, data);
      return await profileSession(session, subject, options, seen);
    } finally {
      session.dispose();
    }
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
  session: Profiled,
  { plan, work }: Subject,
  { rounds = 5, signal, ceilings }: ProfileOptions,
  seen: ((tick: bigint) => bigint) | undefined,
): Promise<Profile> {
  const { gpu, given } = session;
  const { steps } = session.plan;
  const alive = (): void => throwIfAborted(signal, 'profiling');
  const timestamps = gpu.device.features.has('timestamp-query');
  const timer = timestamps ? new PassTimer(gpu, alive, signal, seen) : undefined;
  const clock = new HostClock(session, alive, signal);
  try {
    await clock.round(); // kernels may still compile, and caches and clocks warm up
    const stopwatch = timer && (await Stopwatch.start(session, timer));
    const table: Round[] = [];
    const costs: (readonly number[])[] = [];
    for (let round = 0; round < rounds; round++) {
      costs.push(await clock.round());
      if (stopwatch) table.push(await stopwatch.round(round));
    }
    const [encode, whole, readBack] = [0, 1, 2].map((i) => spreadOf(costs.map((one) => one[i]!)));
    const run = timestamps ? spreadOf(table.flatMap(({ wholes }) => wholes)) : whole!;
    const spreads = timestamps ? steps.map((_, i) => spreadOf(table.map((round) => round.steps[i]!))) : [];
    const labels = labelsOf(steps);
    const rows = rowsOf(spreads, steps, labels, layerNames(given, steps), ceilings);
    const sumMs = sumOf(rows);
    const named = labels.map((label) => label !== undefined);
    const attributed = table.length ? median(table.map((round) => shareOf(round, named))) : 0;
    return {
      adapter: adapterName(gpu.card),
      software: gpu.card.software,
      timestamps,
      quantum: timer?.quantum ?? 0,
      plan,
      rows,
      kinds: kindsOf(rows),
      layers: layersOf(rows),
      sumMs,
      runMs: run.ms,
      run,
      attributed,
      unattributedMs: (1 - attributed) * Math.max(run.ms, sumMs),
      host: { encode: encode!, whole: whole!, readBack: readBack! },
      rounds,
      totals: { ...work, bytes: steps.reduce((sum, { cost }) => sum + cost.bytes, 0) },
      ...(ceilings && { ceilings }),
    };
  } finally {
    timer?.dispose();
    clock.dispose();
  }
}

const sumOf = (rows: readonly Spread[]): number => rows.reduce((sum, { ms }) => sum + ms, 0);

/** Of a round's whole run, or of all its steps where they are longer together, what the named ones have. */
function shareOf({ wholes, steps }: Round, named: readonly boolean[]): number {
  const total = (list: readonly number[]): number => list.reduce((sum, ms) => sum + ms, 0);
  const longest = Math.max(median(wholes), total(steps));
  return longest > 0 ? total(steps.filter((_, i) => named[i])) / longest : 0;
}

const spreadOf = (samples: readonly number[]): Spread => ({
  ms: median(samples),
  p10: quantile(samples, 0.1),
  p90: quantile(samples, 0.9),
});

function rowsOf(
  spreads: readonly Spread[],
  steps: readonly Step[],
  labels: readonly (string | undefined)[],
  names: ReadonlyMap<string, string>,
  ceilings: Ceilings | undefined,
): ProfileRow[] {
  const sumMs = sumOf(spreads);
  return spreads.map((spread, i): ProfileRow => {
    const step = steps[i]!;
    const { node, candidate, cost } = step;
    const { ms } = spread;
    const { dataType } = node;
    const label = labels[i] ?? node.op;
    const rate = (amount: number): number => (ms > 0 ? amount / ms / 1e6 : 0);
    return {
      label,
      name: names.get(label) ?? label,
      op: node.op,
      kernel: candidate.label,
      shape: shapeOf(step),
      dataType,
      ...spread,
      ...cost,
      gflops: rate(cost.flops),
      gbps: rate(cost.bytes),
      share: sumMs > 0 ? ms / sumMs : 0,
      ...(ceilings && roofOf({ ms, ...cost, dataType }, ceilings)),
    };
  });
}

/** Milliseconds of whole runs, and of each step. */
interface Round {
  readonly wholes: readonly number[];
  readonly steps: readonly number[];
}

/** A pass should take so many ms where timestamps are rounded: 40 times the quantum of browsers. */
const PASS_MS = 4;
const MOST_REPEATS = 1024;

/**
 * Times whole runs and single steps by timestamps. A step's time is a slope: of a pass that runs it once more often than
 * another, or as many times more as it takes to be over the quantum of the clock. What a pass costs by itself is in neither.
 * Where the clock is exact, or the step long, the other pass is empty: a repeated step finds its weights in the cache, which
 * the run it is part of does not.
 */
class Stopwatch {
  private constructor(
    private readonly session: Profiled,
    private readonly timer: PassTimer,
    /** How often more the longer pass of each step runs it. */
    private readonly repeats: readonly number[],
  ) {}

  static async start(session: Profiled, timer: PassTimer): Promise<Stopwatch> {
    let watch = new Stopwatch(
      session,
      timer,
      session.plan.steps.map(() => 1),
    );
    let least = await watch.#least();
    if (!timer.quantum) return watch;
    // What is shorter than the quantum is known better once it is repeated.
    for (const floor of [timer.quantum / 2e6, PASS_MS / MOST_REPEATS]) {
      const repeats = least.map((ms) => Math.ceil(PASS_MS / Math.max(ms, floor)));
      watch = new Stopwatch(session, timer, repeats);
      least = await watch.#least();
    }
    return watch;
  }

  /** The least of three for each step: other work on the machine makes none look shorter. */
  async #least(): Promise<number[]> {
    const rounds = [await this.round(0), await this.round(1), await this.round(2)];
    return this.repeats.map((_, i) => Math.min(...rounds.map(({ steps }) => steps[i]!)));
  }

  /** Whole runs stand among the steps. Every other round goes backwards, so that drift is nobody's. */
  async round(number: number): Promise<Round> {
    const { session, repeats } = this;
    const pass =
      (from: number, to: number, times: number): TimedPass =>
      (encoder, writes) =>
        session.encode(encoder, writes, from, to, times);
    const [whole, empty] = [pass(0, repeats.length, 1), pass(0, 0, 1)];
    const single = repeats.flatMap((n, i) => [pass(i, i + 1, 1), ...(n > 1 ? [pass(i, i + 1, n + 1)] : [])]);
    const middle = single.length >> 1;
    const passes = [whole, empty, ...single.slice(0, middle), whole, ...single.slice(middle), whole];
    const backwards = number % 2 === 1;
    const times = await this.timer.time(backwards ? passes.reverse() : passes);
    if (backwards) times.reverse();
    const order = backwards ? passes.reverse() : passes;
    const wholes = order.flatMap((one, i) => (one === whole ? [times[i]!] : []));
    const rest = times.filter((_, i) => order[i] !== whole).values();
    const next = (): number => rest.next().value!;
    const nothing = next();
    const steps = repeats.map((n) => {
      const once = next();
      return Math.max(0, n > 1 ? (next() - once) / n : once - nothing);
    });
    return { wholes, steps };
  }
}

/** Times what the host does for a run, by the clock of the CPU. */
class HostClock {
  readonly #staging: ReadonlyMap<string, GPUBuffer>;

  constructor(
    private readonly session: Profiled,
    private readonly alive: () => void,
    private readonly signal: AbortSignal | undefined,
  ) {
    const { gpu, plan } = session;
    this.#staging = new Map(
      [...plan.outputs].map(([name, { operand }]) => [
        name,
        gpu.createBuffer(wordBytes(operand), USAGE.staging, `${name} staging`),
      ]),
    );
  }

  /** Milliseconds of encoding and submitting, until the device is done, and of reading the outputs. */
  async round(): Promise<[encode: number, whole: number, readBack: number]> {
    this.alive();
    const { session, alive, signal } = this;
    const { gpu } = session;
    const start = performance.now();
    const encoder = gpu.device.createCommandEncoder();
    session.encode(encoder);
    gpu.submit(encoder);
    const encoded = performance.now();
    await gpu.guard(gpu.device.queue.onSubmittedWorkDone(), alive, signal);
    const done = performance.now();
    const copies = gpu.device.createCommandEncoder();
    for (const [name, staging] of this.#staging)
      copies.copyBufferToBuffer(session.outputBuffer(name), 0, staging, 0, staging.size);
    gpu.submit(copies);
    const reads = [...this.#staging.values()].map((staging) => gpu.readStaging(staging, staging.size));
    await gpu.guard(Promise.all(reads), alive, signal);
    return [encoded - start, done - start, performance.now() - done];
  }

  dispose(): void {
    for (const staging of this.#staging.values()) this.session.gpu.destroyBuffer(staging);
  }
}
