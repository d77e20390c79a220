import { throwIfAborted } from '../errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { brings } from '../gpu/wgsl.ts';
import type { Operand } from '../graph/ir.ts';
import { type Choose, type Plan, type Step, shapeOf } from '../graph/plan.ts';
import type { Candidate } from '../ops/define.ts';
import { opNamed } from '../ops/index.ts';
import { median } from '../profile/quantile.ts';
import { bind, compile, dispatch, writeUniforms } from '../runtime/steps.ts';
import { keyOf } from '../tensor/key.ts';
import type { OnProgress } from '../tensor/progress.ts';
import { formatTensor } from '../tensor/types.ts';
import { type ChoiceStore, choiceStore, type Found, NOTHING } from './store.ts';

/** `off` takes the table's guess; `fast` measures the likely candidates within 2 s of GPU time, `full` all of them. */
export type TuneMode = 'off' | 'fast' | 'full';

export interface TuneOptions {
  signal?: AbortSignal | undefined;
  onProgress?: OnProgress | undefined;
}

/** A session, as the tuner needs it. */
export interface Runnable {
  readonly plan: Pick<Plan, 'inputs'>;
  bufferOf(operand: Operand): GPUBuffer | undefined;
  encode(encoder: GPUCommandEncoder): void;
  dispose(): void;
}

/** What was measured for one shape. */
export interface TuneRow {
  /** The first node of the shape in the model, and how many there are. */
  readonly label: string;
  readonly count: number;
  readonly shape: string;
  /** Median milliseconds of a dispatch; the table's guess first. */
  readonly candidates: readonly { readonly label: string; readonly ms: number }[];
  readonly chosen: string;
}

/** GPU time that `fast` may take, in ms, for all that is built on a device. */
const FAST_BUDGET_MS = 2000;
/** Candidates of a shape that `fast` looks at. */
const FAST_CANDIDATES = 4;
/** Milliseconds of a submit, about: long against clocks and wake-ups, short enough for a page to paint between two. */
const SUBMIT_MS = 8;
const MOST_REPEATS = 400;
const ROUNDS = { fast: 5, full: 9 };
/** A candidate that took this many times as long as the best of the first round is out. */
const HOPELESS = 1.5;
/**
 * A candidate replaces the table's guess where its median is below this share of the guess's, and it won this share of
 * the rounds.
 */
const CLEAR = 0.97;
const CLEAR_ROUNDS = 0.8;

const tuners = new WeakMap<Gpu, Tuner>();

/**
 * Measures kernels on their device and remembers what it found: the winner among the candidates of each shape, and the
 * variants that gave wrong results (src/verify). A device has one tuner.
 */
export class Tuner {
  /** All measurements, in order. */
  readonly rows: TuneRow[] = [];
  #found: Found = NOTHING;
  #recalled: Promise<void> | undefined;
  #spentMs = 0;

  constructor(
    private readonly gpu: Gpu,
    private readonly store: ChoiceStore = choiceStore(gpu.card),
  ) {}

  /** The device's tuner. `store` counts where it has none yet. */
  static on(gpu: Gpu, store?: ChoiceStore): Tuner {
    let tuner = tuners.get(gpu);
    if (!tuner) {
      tuner = new Tuner(gpu, store);
      tuners.set(gpu, tuner);
    }
    return tuner;
  }

  /** Reads what earlier pages or processes found. */
  recall(): Promise<void> {
    this.#recalled ??= this.store.load().then(({ choices, aside, experimental }) => {
      const now = this.#found;
      this.#found = {
        choices: { ...choices, ...now.choices },
        aside: { ...aside, ...now.aside },
        experimental: { ...experimental, ...now.experimental },
      };
    });
    return this.#recalled;
  }

  /** Forgets the winners, here and in the store. */
  async forget(): Promise<void> {
    await this.recall();
    this.#spentMs = 0;
    await this.#remember({ choices: {} });
  }

  /** Variants that are set aside: by label, what was wrong. */
  get aside(): Found['aside'] {
    return this.#found.aside;
  }

  /** Sets a variant aside, here and in the store. Plans made from now on take another where there is one. */
  async setAside(label: string, fault: string): Promise<void> {
    await this.recall();
    const choices = Object.entries(this.#found.choices).filter(([, choice]) => choice.label !== label);
    await this.#remember({ choices: Object.fromEntries(choices), aside: { ...this.aside, [label]: fault } });
  }

  /** Families of experimental kernels that were tried: null where all were right, else what was wrong. */
  get experimental(): Found['experimental'] {
    return this.#found.experimental;
  }

  /** Says of a family of experimental kernels that it is right (null), or what is wrong, here and in the store. */
  async judge(family: string, fault: string | null): Promise<void> {
    await this.recall();
    await this.#remember({ experimental: { ...this.experimental, [family]: fault } });
  }

  /** Forgets which variants were set aside, and which experimental ones are right, here and in the store. */
  async reinstate(): Promise<void> {
    await this.recall();
    await this.#remember({ aside: {}, experimental: {} });
  }

  async #remember(part: Partial<Found>): Promise<void> {
    this.#found = { ...this.#found, ...part };
    await this.store.save(this.#found);
  }

  /** The candidates without the experimental ones that are not known to be right. */
  #proven(candidates: readonly Candidate[]): readonly Candidate[] {
    return candidates.filter(({ experimental: family }) => family === undefined || this.experimental[family] === null);
  }

  /** Those of them that are not set aside; all where that leaves none. */
  #trusted(candidates: readonly Candidate[]): readonly Candidate[] {
    const proven = this.#proven(candidates);
    const trusted = proven.filter(({ label }) => !(label in this.aside));
    return trusted.length ? trusted : proven;
  }

  /** The key of a choice: op, types, shapes, options, and the labels of the candidates that may run. */
  readonly #keyOf = ({ op, inputs, options }: Operand, candidates: readonly Candidate[]): string => {
    const operands = Object.entries(inputs).map(([name, operand]) => `${name}:${formatTensor(operand)}`);
    const labels = this.#proven(candidates).map(({ label }) => label);
    return `${op}(${operands.join(' ')}) ${keyOf(options)} ${labels.join(' ')}`;
  };

  /** The table's guess. */
  readonly guess: Choose = (candidates) => this.#trusted(candidates)[0]!;

  /** The remembered winner, else the table's guess. */
  readonly choose: Choose = (candidates, node) => {
    const choice = candidates.length > 1 ? this.#found.choices[this.#keyOf(node, candidates)] : undefined;
    return this.#trusted(candidates).find(({ label }) => label === choice?.label) ?? this.guess(candidates, node);
  };

  /**
   * Measures the shapes of the plan that are not known yet, the most work first, and remembers the winners: `choose`
   * takes them from then on. It runs on the session's buffers. Intermediates and inputs are overwritten, weights and
   * states are not.
   */
  async settle(
    plan: Plan,
    mode: Exclude<TuneMode, 'off'>,
    bufferOf: (operand: Operand) => GPUBuffer,
    { signal, onProgress }: TuneOptions = {},
  ): Promise<void> {
    const full = mode === 'full';
    const open = distinct(plan, this.#keyOf).filter(({ key }) => !this.settled(key, mode));
    if (!open.length) return;
    const inputs = new Set(open.flatMap(({ step }) => [...Object.values(step.reads), ...Object.values(step.writes)]));
    for (const operand of inputs) {
      if (plan.slots.has(operand) || operand.op === 'input') fillWithNumbers(this.gpu, bufferOf(operand));
    }
    const contenders = ({ candidates }: Step): readonly Candidate[] => {
      const trusted = this.#trusted(candidates);
      return full ? trusted : likely(this.gpu, trusted);
    };
    // A GPU's driver compiles while others are measured. A software adapter's compiler would be measured too.
    if (!this.gpu.caps.software) {
      for (const { step } of open)
        for (const { variant, label } of contenders(step)) this.gpu.pipelines.get(variant, label).catch(failed);
    }
    let changed = false;
    for (const [index, { key, step, count }] of open.entries()) {
      throwIfAborted(signal, 'tuning');
      onProgress?.({ phase: 'tune', loaded: index, total: open.length, label: step.candidates[0]!.label });
      if (!full && this.#spentMs >= FAST_BUDGET_MS) continue;
      const measured = await this.#measure(step, contenders(step), bufferOf, {
        rounds: ROUNDS[mode],
        budgetMs: full ? Number.POSITIVE_INFINITY : FAST_BUDGET_MS - this.#spentMs,
        signal,
      });
      if (!measured) continue;
      const choices = { ...this.#found.choices, [key]: { label: measured.chosen, full } };
      this.#found = { ...this.#found, choices };
      changed = true;
      this.rows.push({ label: step.node.label ?? step.node.op, count, shape: shapeOf(step), ...measured });
    }
    onProgress?.({ phase: 'tune', loaded: open.length, total: open.length });
    if (changed) await this.store.save(this.#found);
  }

  /** Whether this mode has nothing more to measure. */
  settled(key: string, mode: Exclude<TuneMode, 'off'>): boolean {
    const known = this.#found.choices[key];
    return known !== undefined && (mode === 'fast' || known.full);
  }

  /** The form that `compare` found to be the faster. */
  formOf(key: string): string | undefined {
    return this.#found.choices[key]?.label;
  }

  /**
   * Times sessions that compute the same in different forms, the table's guess first, and remembers the label of the
   * fastest. Remembers nothing where `fast` has used up its time.
   */
  async compare(
    key: string,
    { shape, label, forms }: { shape: string; label: string; forms: readonly Form[] },
    mode: Exclude<TuneMode, 'off'>,
    signal?: AbortSignal | undefined,
  ): Promise<void> {
    const full = mode === 'full';
    if (!full && this.#spentMs >= FAST_BUDGET_MS) return;
    const built: Runnable[] = [];
    try {
      for (const { build } of forms) built.push(await build());
      const racers = built.map((session, i): Racer => {
        for (const operand of session.plan.inputs.values()) fillWithNumbers(this.gpu, session.bufferOf(operand)!);
        const encode = (encoder: GPUCommandEncoder, repeats: number): void => {
          for (let run = 0; run < repeats; run++) session.encode(encoder);
        };
        return { label: forms[i]!.label, encode, times: [] };
      });
      const budgetMs = full ? Number.POSITIVE_INFINITY : FAST_BUDGET_MS - this.#spentMs;
      const measured = await this.#race(racers, { rounds: ROUNDS[mode], budgetMs, signal });
      if (!measured) return;
      const choices = { ...this.#found.choices, [key]: { label: measured.chosen, full } };
      this.#found = { ...this.#found, choices };
      this.rows.push({ label, count: 1, shape, ...measured });
      await this.store.save(this.#found);
    } finally {
      for (const session of built) session.dispose();
    }
  }

  /** Times the candidates of a step. Undefined where the time is used up. */
  async #measure(
    step: Step,
    candidates: readonly Candidate[],
    bufferOf: (operand: Operand) => GPUBuffer,
    limits: RaceLimits,
  ): Promise<Outcome | undefined> {
    const { gpu } = this;
    const steps = candidates.map((candidate): Step => ({ ...step, candidate }));
    const programs = await gpu.guard(
      Promise.all(steps.map((one) => compile(gpu, [one]).then(([program]) => program!, failed))),
      () => throwIfAborted(limits.signal, 'tuning'),
      limits.signal,
    );
    const able = steps.flatMap((one, i) => (programs[i] ? [{ step: one, program: programs[i] }] : []));
    if (able.length < 2 || able[0]!.step !== steps[0]) return undefined;
    const compiled = able.map(({ program }) => program);
    const uniforms = writeUniforms(
      gpu,
      able.map((one) => one.step),
      compiled,
      'tuning',
    );
    try {
      const racers = able.map(({ step: one, program }, i): Racer => {
        const bound = bind(gpu, one, program, uniforms, i, bufferOf);
        const encode = (encoder: GPUCommandEncoder, repeats: number): void => {
          const pass = encoder.beginComputePass();
          for (let run = 0; run < repeats; run++) dispatch(gpu, pass, bound);
          pass.end();
          gpu.counters.passes++;
        };
        return { label: one.candidate.label, encode, times: [] };
      });
      return await this.#race(racers, limits);
    } finally {
      if (uniforms.buffer) gpu.destroyBuffer(uniforms.buffer);
    }
  }

  /** Times racers round by round, the table's guess first. Undefined where the time is used up. */
  async #race(racers: readonly Racer[], { rounds, budgetMs, signal }: RaceLimits): Promise<Outcome | undefined> {
    const { gpu } = this;
    const run = async ({ encode }: Racer, repeats: number): Promise<number> => {
      const ms = await timeOf(gpu, (encoder) => encode(encoder, repeats), signal);
      this.#spentMs += ms;
      return ms;
    };
    const start = this.#spentMs;
    const guess = racers[0]!;
    // The first dispatch is not counted: some drivers compile then.
    for (const { encode } of racers) await timeOf(gpu, (encoder) => encode(encoder, 1), signal);
    let took = await run(guess, 1);
    // There is no time for two runs of each.
    if (took * 2 * racers.length > budgetMs) return undefined;
    // All have the same number of dispatches a submit, so a submit costs all the same.
    let repeats = 1;
    while (took < SUBMIT_MS && repeats < MOST_REPEATS) {
      repeats *= 2;
      took = await run(guess, repeats);
    }
    let left = racers;
    for (let round = 0; round < rounds; round++) {
      if (this.#spentMs - start > budgetMs) return undefined;
      for (const racer of round % 2 ? [...left].reverse() : left)
        racer.times.push((await run(racer, repeats)) / repeats);
      const best = Math.min(...left.map(({ times }) => median(times)));
      if (round === 0) left = left.filter((racer, i) => i === 0 || median(racer.times) <= HOPELESS * best);
    }
    return { candidates: racers.map(({ label, times }) => ({ label, ms: median(times) })), chosen: winner(left) };
  }
}

interface Racer {
  readonly label: string;
  encode(encoder: GPUCommandEncoder, repeats: number): void;
  readonly times: number[];
}

interface RaceLimits {
  readonly rounds: number;
  readonly budgetMs: number;
  readonly signal: AbortSignal | undefined;
}

type Outcome = Pick<TuneRow, 'candidates' | 'chosen'>;

/** A session that computes one form. */
export interface Form {
  readonly label: string;
  build(): Promise<Runnable>;
}

const failed = (): undefined => undefined; // a candidate that does not compile is left out

interface Times {
  readonly label: string;
  readonly times: readonly number[];
}

/** The fastest where it clearly beats the first, which is the table's guess; else the first. */
export function winner(racers: readonly Times[]): string {
  const guess = racers[0]!;
  const best = racers.reduce((a, b) => (median(b.times) < median(a.times) ? b : a));
  const wins = best.times.filter((ms, i) => ms < guess.times[i]!).length;
  const clear = median(best.times) <= CLEAR * median(guess.times) && wins >= CLEAR_ROUNDS * best.times.length;
  return clear ? best.label : guess.label;
}

/** The shapes of a plan that have several candidates, the most work first. */
function distinct(
  { steps }: Plan,
  choiceKey: (node: Operand, candidates: readonly Candidate[]) => string,
): { key: string; step: Step; count: number }[] {
  const found = new Map<string, { key: string; step: Step; count: number }>();
  for (const step of steps) {
    const { node, dispatches, candidates } = step;
    // A node of several dispatches is not measured, nor one that writes onto a state: it would change it.
    if (candidates.length < 2 || dispatches > 1 || opNamed(node.op).inPlace) continue;
    const key = choiceKey(node, candidates);
    const known = found.get(key);
    found.set(key, { key, step: known?.step ?? step, count: (known?.count ?? 0) + 1 });
  }
  const work = ({ step: { cost }, count }: { step: Step; count: number }): number => count * (cost.flops + cost.bytes);
  return [...found.values()].sort((a, b) => work(b) - work(a));
}

/** The first few candidates. On a software adapter none with a barrier: they never won there. */
function likely({ caps }: Gpu, candidates: readonly Candidate[]): Candidate[] {
  const [guess, ...others] = candidates;
  const sensible = others.filter(({ variant }) => !caps.software || !brings(variant, 'workgroupBarrier'));
  return [guess!, ...sensible].slice(0, FAST_CANDIDATES);
}

/** Milliseconds from the submit to its end. */
async function timeOf(
  gpu: Gpu,
  encode: (encoder: GPUCommandEncoder) => void,
  signal: AbortSignal | undefined,
): Promise<number> {
  throwIfAborted(signal, 'tuning');
  const encoder = gpu.device.createCommandEncoder();
  encode(encoder);
  const start = performance.now();
  gpu.submit(encoder);
  await gpu.guard(gpu.device.queue.onSubmittedWorkDone(), () => throwIfAborted(signal, 'tuning'), signal);
  gpu.check();
  return performance.now() - start;
}

const CHUNK = 2 ** 20;

/**
 * Bits that are ordinary numbers in every type: 0.5 to 1 as float16, 3e-5 to 2e-4 as float32. On zeros a GPU runs
 * cooler and faster than at work.
 */
function fillWithNumbers({ device }: Gpu, buffer: GPUBuffer): void {
  const halves = new Uint16Array(Math.min(CHUNK, buffer.size) / 2);
  let seed = 1;
  for (let i = 0; i < halves.length; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0; // Numerical Recipes
    halves[i] = 0x3800 | (seed >>> 22);
  }
  for (let at = 0; at < buffer.size; at += CHUNK) {
    device.queue.writeBuffer(buffer, at, halves, 0, Math.min(halves.length, (buffer.size - at) / 2));
  }
}
