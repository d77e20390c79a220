import { TilewrightError, throwIfAborted } from '../errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Program } from '../gpu/pipelines.ts';
import { USAGE } from '../gpu/usage.ts';
import { type Graph, isState, type NamedOptions, type Operand } from '../graph/ir.ts';
import type { Plan, Step } from '../graph/plan.ts';
import { signal as abortSignal, checkOptions, list, object, type Rules, text } from '../options.ts';
import type { Profile, ProfileOptions, Subject } from '../profile/profile.ts';
import { arrayOf } from '../tensor/half.ts';
import {
  byteLength,
  elementCount,
  formatTensor,
  type HostData,
  type TensorData,
  typedArray,
  wordBytes,
} from '../tensor/types.ts';
import type { FiniteCheck } from './check.ts';
import { Resource } from './resource.ts';
import { type BoundStep, bind, compile, dispatch, PART_MS, type UniformArena, workOf, writeUniforms } from './steps.ts';
import type { Stores } from './stores.ts';

export interface SessionOptions {
  /**
   * `finite`: a run fails with `not-finite` where an op produces infinity or NaN, and names the op. Slow: for finding
   * faults.
   */
  check?: 'finite' | undefined;
  /** Runs that overlap at the most: each has a staging buffer an output. 1 where absent. */
  runsAhead?: number | undefined;
  /** Names it in messages and in tools. */
  label?: string | undefined;
}

/** What a run gives, and where it goes. */
export interface RunOptions {
  /** Ends the run with `aborted`, at once. */
  signal?: AbortSignal | undefined;
  /** Outputs to read back; all where absent. What is not read stays on the device (`outputBuffer`). */
  outputs?: readonly string[];
  /** Outputs to copy to a buffer on the device, such as the input of another session (`inputBuffer`). */
  copy?: Readonly<Record<string, GPUBuffer>>;
}

const RUN_RULES: Rules<RunOptions> = { signal: abortSignal, outputs: list(text), copy: object };

/** Numbers of an input: its own typed array, bytes, or a list. */
export type TensorInput = HostData | readonly number[] | readonly bigint[];

/** An input that the GPU writes, at the beginning of the run and in its submit. */
export interface DeviceInput {
  /** Encodes what writes it. Called once a run, in the task that submits. */
  encode(encoder: GPUCommandEncoder, target: GPUBuffer): void;
}

/** What a run takes, by the name of the input: numbers, or what writes them on the GPU. */
export type SessionInputs = Readonly<Record<string, TensorInput | DeviceInput>>;

type GivenInput = readonly [name: string, data: TensorInput | DeviceInput];

/** The dispatches of a plan, compiled, not bound to buffers. */
interface Kernels {
  readonly steps: readonly Step[];
  readonly programs: readonly Program[];
  readonly uniforms: UniformArena;
  readonly check: FiniteCheck | undefined;
}

/**
 * A plan on the device. Pipelines, buffers, bind groups and uniforms are made when it is built. A run writes the
 * inputs, encodes one compute pass, submits once and reads the outputs. A run that takes more than 100 ms is submitted
 * in parts of about as much, and what is run after it waits. Runs may overlap: the device does them in order. A run
 * allocates nothing, but for a staging buffer where more runs overlap than `runsAhead`.
 */
export class Session extends Resource {
  protected readonly title: string;
  /** Buffers that no other session uses. */
  readonly #own = new Set<GPUBuffer>();
  readonly #inputs = new Map<Operand, GPUBuffer>();
  /** Staging buffers of each output that no run is using. */
  readonly #idle = new Map<string, GPUBuffer[]>();
  /** Inputs that runs may leave out: `write` or the GPU has written them. */
  readonly #kept = new Set<string>();
  #kernels: Kernels = { steps: [], programs: [], uniforms: { buffer: undefined, offsets: [] }, check: undefined };
  #steps: readonly BoundStep[] = [];
  /** Version of the arena that the steps are bound to. */
  #version = -1;
  /** Milliseconds that a run takes: guessed for two cores or for a small GPU, then measured. */
  #ms = 0;

  /** `allocate` makes its buffers, `rechoose` its kernels. */
  constructor(
    /** @internal */
    readonly gpu: Gpu,
    /** What runs. */
    public plan: Plan,
    /** @internal */
    readonly stores: Stores,
    private readonly options: SessionOptions & {
      /** Plans the graph again, with the kernels that are chosen by now. */
      readonly replan: () => Plan;
      /** The graph that it was built of, as it was given. */
      readonly given: Graph;
      /** Builds it again, on another device, and says what the graph asks for. */
      again(): Promise<Pick<Subject, 'build' | 'work'>>;
      /** Whether the stores are disposed of with the session. */
      readonly lone: boolean;
    },
  ) {
    super();
    this.title = options.label ?? 'session';
    stores.sessions.add(this);
  }

  /** Makes its buffers. Once, before everything else. @internal */
  allocate(): void {
    const { plan, stores } = this;
    stores.arena.reserve(plan.slotBytes);
    for (const [name, operand] of plan.inputs)
      this.#inputs.set(operand, this.#allocate(byteLength(operand), USAGE.storage, name));
    for (const name of plan.outputs.keys()) {
      const runs = { length: this.options.runsAhead ?? 1 };
      this.#idle.set(
        name,
        Array.from(runs, () => this.#makeStaging(name)),
      );
    }
    for (const operand of plan.states.values()) stores.states.buffer(nameOf(operand), operand);
  }

  #allocate(bytes: number, usage: GPUBufferUsageFlags, name: string): GPUBuffer {
    this.alive();
    const buffer = this.gpu.createBuffer(bytes, usage, `${this.title} ${name}`);
    this.#own.add(buffer);
    return buffer;
  }

  #free(buffer: GPUBuffer | undefined): void {
    if (buffer && this.#own.delete(buffer)) this.gpu.destroyBuffer(buffer);
  }

  /** Takes the kernels of a plan that differs in its kernels only; of `replan` where absent. @internal */
  async rechoose(planned = this.options.replan()): Promise<void> {
    const { gpu, title } = this;
    const check =
      this.options.check === 'finite'
        ? new (await import('./check.ts')).FiniteCheck(gpu, planned.steps, title, (...how) => this.#allocate(...how))
        : undefined;
    const steps = check?.steps ?? planned.steps;
    const programs = await compile(gpu, steps);
    await gpu.turns.next(() => {
      this.alive();
      const uniforms = writeUniforms(gpu, steps, programs, title);
      if (uniforms.buffer) this.#own.add(uniforms.buffer);
      gpu.check();
      this.#free(this.#kernels.uniforms.buffer);
      this.#kernels = { steps, programs, uniforms, check };
      this.plan = planned;
      this.#bind();
      this.#ms ||= workOf(steps) / (gpu.caps.software ? 4e6 : 4e8);
    });
  }

  #bind(): void {
    const { arena } = this.stores;
    const { steps, programs, uniforms } = this.#kernels;
    arena.reserve(this.plan.slotBytes);
    this.#steps = steps.map((step, i) => bind(this.gpu, step, programs[i]!, uniforms, i, this.#bufferOf));
    this.#version = arena.version;
  }

  /** The bound dispatches. Binds them again where the arena has changed. @internal */
  get steps(): readonly BoundStep[] {
    if (this.#version !== this.stores.arena.version) this.#bind();
    return this.#steps;
  }

  /** @internal */
  replan(): Plan {
    return this.options.replan();
  }

  /** The graph that it was built of, before the passes. @internal */
  get given(): Graph {
    return this.options.given;
  }

  readonly #bufferOf = (operand: Operand): GPUBuffer => {
    const { stores, plan } = this;
    const { check } = this.#kernels;
    const slot = plan.slots.get(operand);
    if (slot !== undefined) return stores.arena.slot(slot);
    if (check && operand === check.flag) return check.buffer;
    if (isState(operand)) return stores.states.buffer(nameOf(operand), operand);
    return this.#inputs.get(operand) ?? stores.constants.buffer(operand);
  };

  /** The buffer of an operand that the plan reads or writes. Valid until a session on the same stores is built. */
  bufferOf(operand: Operand): GPUBuffer {
    return this.#bufferOf(operand);
  }

  /**
   * The buffer of an input, for the GPU to write. Runs may leave the input out from now on. They are one submit from now
   * on, however long they take; one that is under way has to end before the GPU writes.
   */
  inputBuffer(name: string): GPUBuffer {
    this.alive();
    const operand = this.#named(this.plan.inputs, name, 'input');
    this.#kept.add(name);
    return this.#inputs.get(operand)!;
  }

  /** The buffer of an output. Valid until a session on the same stores runs or is built. */
  outputBuffer(name: string): GPUBuffer {
    return this.#bufferOf(this.#named(this.plan.outputs, name, 'output').storage);
  }

  #named<T>(map: ReadonlyMap<string, T>, name: string, kind: string): T {
    const found = map.get(name);
    if (!found)
      throw new TilewrightError('invalid-argument', `there is no ${kind} '${name}' (${[...map.keys()].join(', ')})`);
    return found;
  }

  /** An input, as errors name it. */
  protected described(_name: string, operand: Operand): string {
    return formatTensor(operand);
  }

  /**
   * Runs once. Inputs are typed arrays (float16 as bits) or plain numbers. Outputs are typed arrays in the graph's
   * types. An input may be left out where `write` or the GPU (`inputBuffer`) has written it. Errors:
   * `invalid-argument`, `wrong-shape`, `wrong-type`, `aborted`, `device-lost`; `disposed` where the session is disposed
   * of before its results are here.
   */
  async run<Data extends HostData = TensorData>(
    inputs: SessionInputs,
    options: RunOptions = {},
  ): Promise<Record<string, Data>> {
    this.alive();
    checkOptions('run', options, RUN_RULES);
    const { signal, outputs = [...this.plan.outputs.keys()], copy = {} } = options;
    const alive = (): void => {
      this.alive();
      throwIfAborted(signal, 'the run');
    };
    alive();
    const { gpu } = this;
    gpu.check();
    for (const name of [...outputs, ...Object.keys(copy)]) this.#named(this.plan.outputs, name, 'output');
    for (const [name, operand] of this.plan.inputs) {
      if (inputs[name] === undefined && !this.#kept.has(name)) throw this.#missing(name, operand);
    }
    const results = await gpu.guard(this.#work(inputs, outputs, copy, alive), alive, signal);
    return Object.fromEntries(results) as Record<string, Data>;
  }

  #missing(name: string, operand: Operand): TilewrightError {
    return new TilewrightError('invalid-argument', `the input '${name}' is missing: ${this.described(name, operand)}`, {
      hint: 'What the GPU writes to `inputBuffer(name)`, or `write(name, data)` has written, may be left out of a run.',
    });
  }

  /** Does a run, at once where no long one is before it. */
  async #work(
    inputs: SessionInputs,
    outputs: readonly string[],
    copy: NonNullable<RunOptions['copy']>,
    alive: () => void,
  ): Promise<[string, TensorData][]> {
    const { gpu, stores } = this;
    const start = performance.now();
    // Between two parts nobody else writes: not the GPU to an input, nor a tuner to the shared memory.
    const long = this.#ms > PART_MS && !this.#kept.size && !stores.turns.open;
    let given: readonly GivenInput[] = Object.entries(inputs);
    // The caller may write to its arrays while this waits.
    if (long || gpu.turns.open) given = given.map(([name, data]) => [name, 'slice' in data ? data.slice() : data]);
    const submit = (from = 0) => {
      alive();
      return gpu.scoped('a run', () => this.#submit(given, outputs, copy, from));
    };
    const [{ read, checked }, valid] = await (long
      ? gpu.turns.take(async () => {
          const { ahead } = await import('./parts.ts');
          return submit(await ahead(this, this.#kernels.steps, this.#ms, (first) => this.#begin(first, given), alive));
        })
      : gpu.turns.next(submit));
    const [results] = await Promise.all([Promise.all(read), valid, checked?.()]);
    gpu.check();
    if (read.length) {
      const now = performance.now();
      // One run that is slow for another reason does not make the session long.
      this.#ms = Math.min(now - Math.max(start, gpu.ran), Math.max(2 * this.#ms, PART_MS));
      gpu.ran = now;
    }
    return results;
  }

  #begin(encoder: GPUCommandEncoder, inputs: readonly GivenInput[]): void {
    for (const [name, data] of inputs) {
      if ('encode' in data) data.encode(encoder, this.#inputs.get(this.#named(this.plan.inputs, name, 'input'))!);
      else this.#writing(name, data)();
    }
    this.#kernels.check?.begin(encoder);
  }

  /** Writes, encodes and submits a run, without waiting: its steps from `from` on. */
  #submit(
    inputs: readonly GivenInput[],
    outputs: readonly string[],
    copy: NonNullable<RunOptions['copy']>,
    from: number,
  ) {
    const { gpu } = this;
    const encoder = gpu.device.createCommandEncoder();
    if (!from) this.#begin(encoder, inputs);
    this.encode(encoder, undefined, from);
    const checked = this.#kernels.check?.end(encoder);
    const copyOutput = (name: string, target: GPUBuffer): void => {
      const bytes = wordBytes(this.plan.outputs.get(name)!.operand);
      encoder.copyBufferToBuffer(this.outputBuffer(name), 0, target, 0, bytes);
    };
    for (const [name, target] of Object.entries(copy)) copyOutput(name, target);
    const reads = outputs.map((name) => ({ name, staging: this.#stagingOf(name) }));
    for (const { name, staging } of reads) copyOutput(name, staging);
    gpu.submit(encoder);
    const read = reads.map(async ({ name, staging }): Promise<[string, TensorData]> => {
      const { operand } = this.plan.outputs.get(name)!;
      const bytes = await gpu.readStaging(staging, byteLength(operand), this.alive);
      this.#idle.get(name)!.push(staging);
      return [name, typedArray(operand.dataType, bytes)];
    });
    return { read, checked };
  }

  /** A staging buffer for this output that no other run uses. */
  #stagingOf(name: string): GPUBuffer {
    return this.#idle.get(name)!.pop() ?? this.#makeStaging(name);
  }

  #makeStaging(name: string): GPUBuffer {
    const { operand } = this.plan.outputs.get(name)!;
    return this.#allocate(byteLength(operand), USAGE.staging, `${name} staging`);
  }

  /** Writes an input without running, after the runs that were asked for before. Otherwise as `inputBuffer`. */
  write(name: string, data: TensorInput): void {
    this.alive();
    const { turns } = this.gpu;
    // A run that is submitted in parts reads its inputs until the last; the caller may write to its array meanwhile.
    const write = this.#writing(name, turns.open ? data.slice() : data);
    if (!turns.open) write();
    else void turns.take(() => this.disposed || write());
    this.#kept.add(name);
  }

  /** What writes an input, checked. */
  #writing(name: string, data: TensorInput): () => void {
    const operand = this.#named(this.plan.inputs, name, 'input');
    if (data.length !== elementCount(operand.shape)) {
      throw new TilewrightError(
        'wrong-shape',
        `input ${name}: expected ${elementCount(operand.shape)} elements for ${formatTensor(operand)}, got ${data.length}`,
      );
    }
    const bytes = asTensorData(name, operand, data);
    return () => this.gpu.write(this.#inputs.get(operand)!, 0, bytes);
  }

  /** Encodes the plan as one compute pass, or its steps from `from` to `to`, `times` times. */
  encode(
    encoder: GPUCommandEncoder,
    timestampWrites?: GPUComputePassTimestampWrites,
    from = 0,
    to?: number,
    times = 1,
  ): void {
    const pass = encoder.beginComputePass(timestampWrites ? { timestampWrites } : {});
    const { steps } = this;
    while (times-- > 0) for (let i = from; i < (to ?? steps.length); i++) dispatch(this.gpu, pass, steps[i]!);
    pass.end();
    this.gpu.counters.passes++;
  }

  /**
   * What every dispatch costs, on a device of its own with timestamp-query. `inputs` are those of a run: numbers. Errors:
   * `invalid-argument`, `wrong-shape`, `wrong-type`, `no-adapter`, `aborted`.
   */
  async profile(inputs: Readonly<Record<string, TensorInput>>, options: ProfileOptions = {}): Promise<Profile> {
    this.alive();
    for (const [name, operand] of this.plan.inputs) if (inputs[name] === undefined) throw this.#missing(name, operand);
    const { profileApart, PROFILE_RULES } = await import('../profile/profile.ts');
    checkOptions('profile', options, PROFILE_RULES);
    return profileApart({ ...(await this.options.again()), inputs, plan: this.title }, options);
  }

  /** Bytes of the session's own buffers: inputs, staging, uniforms. Intermediates are shared (`Stores`). */
  get bytes(): number {
    return [...this.#own].reduce((sum, { size }) => sum + size, 0);
  }

  protected release(): void {
    for (const buffer of [...this.#own]) this.#free(buffer);
    this.stores.sessions.delete(this);
    if (this.options.lone) this.stores.dispose();
  }
}

const nameOf = ({ options }: Operand): string => (options as NamedOptions).name;

/** Checks the type of an input; plain numbers take the type of the graph. */
function asTensorData(name: string, operand: Operand, data: TensorInput): TensorData {
  const expected = typedArray(operand.dataType, 0).constructor;
  if (data.constructor === expected) return data as TensorData;
  if (ArrayBuffer.isView(data) && !(operand.dataType === 'float16' && data instanceof Float32Array)) {
    throw new TilewrightError(
      'wrong-type',
      `input ${name}: expected ${expected.name} for ${formatTensor(operand)}, got ${data.constructor.name}`,
    );
  }
  return arrayOf(operand.dataType, [...data]);
}
