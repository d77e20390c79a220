import { TilewrightError, throwIfAborted } from '../errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Graph, NamedOptions, Operand } from '../graph/ir.ts';
import { optimise, type PassOptions, quantizes } from '../graph/passes/index.ts';
import { type Choose, type Plan, plan } from '../graph/plan.ts';
import { toHalf } from '../tensor/half.ts';
import type { OnProgress } from '../tensor/progress.ts';
import { byteLength, elementCount, formatTensor, type TensorData, typedArray } from '../tensor/types.ts';
import type { TuneMode, Tuner } from '../tune/tuner.ts';
import type { FiniteCheck } from './check.ts';
import { ConstantStore } from './constants.ts';
import { Resource } from './resource.ts';
import { States } from './states.ts';
import { type BoundStep, bind, compile, dispatch, storageUsage, writeUniforms } from './steps.ts';

export interface BuildOptions extends PassOptions {
  signal?: AbortSignal | undefined;
  onProgress?: OnProgress | undefined;
  /** Weights shared with other sessions; a store of its own where absent. */
  constants?: ConstantStore | undefined;
  /** States shared with other sessions; of its own where absent. */
  states?: States | undefined;
  /**
   * Measures kernel candidates on this device: the likely ones within 2 s of GPU time (`fast`), or all (`full`); winners are
   * remembered. Absent: `fast` on a GPU, `off` on a software adapter, whose table was measured.
   */
  tune?: TuneMode | undefined;
  /** What measures and remembers; the device's own where absent. */
  tuner?: Tuner | undefined;
  /** Picks kernel variants itself: nothing is tuned then. */
  choose?: Choose;
  /** Runs that are on their way to the device together, at the most: a staging buffer each. One where absent. */
  runsAhead?: number;
  label?: string;
}

export interface RunOptions {
  signal?: AbortSignal | undefined;
  /** Outputs to read back; all where absent. What is not read stays on the device (`outputBuffer`). */
  outputs?: readonly string[];
  /** Outputs to copy to a buffer on the device, such as the input of another session (`inputBuffer`). */
  copy?: Readonly<Record<string, GPUBuffer>>;
}

export type TensorInput = TensorData | readonly number[];

/**
 * A plan on the device: pipelines, buffers, bind groups and numbers are made when it is built. A run writes the inputs,
 * encodes one compute pass, submits at once and reads what was asked for. Runs may be on their way together: the device
 * takes them in their order. Nothing is allocated, but for a staging buffer where more runs are on their way than were planned for.
 */
export class Session extends Resource {
  /** Staging buffers of each output that no run is using. */
  readonly #idle = new Map<string, GPUBuffer[]>();
  #uniforms: GPUBuffer | undefined;
  #check: FiniteCheck | undefined;
  steps: readonly BoundStep[] = [];

  private constructor(
    readonly gpu: Gpu,
    public plan: Plan,
    readonly replan: () => Plan,
    readonly constants: ConstantStore,
    readonly states: States,
    private readonly buffers: ReadonlyMap<Operand, GPUBuffer>,
    private readonly own: GPUBuffer[],
    private readonly owned: readonly { dispose(): void }[],
    private readonly label: string,
    private readonly checks: boolean,
    runsAhead: number,
  ) {
    super();
    for (const name of plan.outputs.keys())
      this.#idle.set(
        name,
        Array.from({ length: runsAhead }, () => this.#makeStaging(name)),
      );
  }

  static async build(gpu: Gpu, graph: Graph, options: BuildOptions = {}): Promise<Session> {
    const { signal, onProgress, label = 'session' } = options;
    gpu.check();
    throwIfAborted(signal, 'building');
    const { tuner, mode, replan } = await planner(gpu, graph, options, Session.build);
    const planned = replan();
    const constants = options.constants ?? new ConstantStore(gpu);
    const states = options.states ?? new States(gpu);
    const own: GPUBuffer[] = [];
    const owned = [
      {
        dispose() {
          for (const buffer of own.splice(0)) gpu.destroyBuffer(buffer);
        },
      },
      ...(options.constants ? [] : [constants]),
      ...(options.states ? [] : [states]),
    ];
    try {
      const total = new Set(planned.steps.map(({ candidate }) => candidate.label)).size;
      let loaded = 0;
      const compiled = new Set<string>();
      const compiling = Promise.all(
        planned.steps.map(async (step) => {
          const [program] = await compile(gpu, [step]);
          if (!compiled.has(step.candidate.label)) {
            compiled.add(step.candidate.label);
            onProgress?.({ phase: 'compile', loaded: ++loaded, total, label: step.candidate.label });
          }
          return program!;
        }),
      );
      compiling.catch(() => {}); // reported below; the upload may fail first
      await constants.prepare(planned, { signal, onProgress });
      await compiling;
      throwIfAborted(signal, 'building');

      const allocate = allocator(gpu, own, label);
      const slots = planned.slotBytes.map((bytes, i) => allocate(bytes, storageUsage(), `memory ${i}`));
      const buffers = new Map<Operand, GPUBuffer>();
      for (const [operand, slot] of planned.slots) buffers.set(operand, slots[slot]!);
      for (const [name, operand] of planned.inputs)
        buffers.set(operand, allocate(byteLength(operand), storageUsage(), name));
      for (const operand of planned.states.values())
        buffers.set(operand, states.buffer((operand.options as NamedOptions).name, operand));
      for (const operand of planned.constants) buffers.set(operand, constants.buffer(operand));
      if (tuner && mode !== 'off')
        await tuner.settle(planned, mode, (operand) => buffers.get(operand)!, { signal, onProgress });
      const { runsAhead = 1, check } = options;
      const checks = check === 'finite';
      const session = new Session(
        gpu,
        planned,
        replan,
        constants,
        states,
        buffers,
        own,
        owned,
        label,
        checks,
        runsAhead,
      );
      await session.rechoose(tuner && mode !== 'off' ? replan() : planned);
      return session;
    } catch (error) {
      for (const resource of owned) resource.dispose();
      throw error;
    }
  }

  /** Takes the kernels of a plan that differs in nothing else, of what would be planned by now where absent; on the same buffers. */
  async rechoose(planned = this.replan()): Promise<void> {
    const { gpu, label, own } = this;
    const allocate = allocator(gpu, own, label);
    if (this.checks) this.#check = new (await import('./check.ts')).FiniteCheck(gpu, planned.steps, label, allocate);
    const check = this.#check;
    const running = check?.steps ?? planned.steps;
    const programs = await compile(gpu, running);
    const uniforms = writeUniforms(gpu, running, programs, label);
    if (uniforms.buffer) own.push(uniforms.buffer);
    const bufferOf = (operand: Operand): GPUBuffer =>
      operand === check?.flag ? check.buffer : this.buffers.get(operand)!;
    const steps = running.map((step, i) => bind(gpu, step, programs[i]!, uniforms, i, bufferOf));
    gpu.check();
    if (this.#uniforms) gpu.destroyBuffer(own.splice(own.indexOf(this.#uniforms), 1)[0]!);
    this.#uniforms = uniforms.buffer;
    this.plan = planned;
    this.steps = steps;
  }

  /** What `build` would run: nothing is made, nothing measured. */
  static async plan(gpu: Gpu, graph: Graph, options: BuildOptions = {}): Promise<Plan> {
    return (await planner(gpu, graph, options)).replan();
  }

  /** Starts to compile what `build` will need, while something else takes its time. What fails here fails there again. */
  static precompile(gpu: Gpu, graph: Graph, options: BuildOptions = {}): void {
    Session.plan(gpu, graph, options)
      .then(({ steps }) => compile(gpu, steps))
      .catch(() => {});
  }

  /** The buffer of anything that the plan reads or writes. */
  bufferOf(operand: Operand): GPUBuffer | undefined {
    return this.buffers.get(operand);
  }

  /** The buffer of an input: what is written there by the GPU needs no upload (leave the input out of `run`). */
  inputBuffer(name: string): GPUBuffer {
    return this.buffers.get(this.#named(this.plan.inputs, name, 'input'))!;
  }

  /** The buffer that an output lies in until the next run. */
  outputBuffer(name: string): GPUBuffer {
    return this.buffers.get(this.#named(this.plan.outputs, name, 'output').storage)!;
  }

  #named<T>(map: ReadonlyMap<string, T>, name: string, kind: string): T {
    const found = map.get(name);
    if (!found)
      throw new TilewrightError('invalid-argument', `there is no ${kind} '${name}' (${[...map.keys()].join(', ')})`);
    return found;
  }

  /** Runs once. Inputs are typed arrays (float16 as bits) or plain numbers; outputs come back in the type of the graph. */
  async run(
    inputs: Readonly<Record<string, TensorInput>>,
    { signal, outputs = [...this.plan.outputs.keys()], copy = {} }: RunOptions = {},
  ): Promise<Record<string, TensorData>> {
    if (this.disposed) throw new TilewrightError('disposed', 'the session was disposed of');
    throwIfAborted(signal, 'the run');
    const { gpu } = this;
    gpu.check();
    for (const [name, data] of Object.entries(inputs)) this.write(name, data);
    const encoder = gpu.device.createCommandEncoder();
    this.#check?.begin(encoder);
    this.encode(encoder);
    const checked = this.#check?.end(encoder);
    const copyOutput = (name: string, target: GPUBuffer): void => {
      const bytes = Math.ceil(byteLength(this.#named(this.plan.outputs, name, 'output').operand) / 4) * 4;
      encoder.copyBufferToBuffer(this.outputBuffer(name), 0, target, 0, bytes);
    };
    for (const [name, target] of Object.entries(copy)) copyOutput(name, target);
    const reads = outputs.map((name) => ({ name, staging: this.#stagingOf(name) }));
    for (const { name, staging } of reads) copyOutput(name, staging);
    gpu.submit(encoder);
    const read = reads.map(async ({ name, staging }): Promise<[string, TensorData]> => {
      const { operand } = this.plan.outputs.get(name)!;
      const bytes = await gpu.readStaging(staging, byteLength(operand));
      this.#idle.get(name)!.push(staging);
      return [name, typedArray(operand.dataType, bytes)];
    });
    const [results] = await Promise.all([Promise.all(read), checked?.()]);
    gpu.check();
    throwIfAborted(signal, 'the run');
    return Object.fromEntries(results);
  }

  /** A staging buffer for this output that no other run is using. */
  #stagingOf(name: string): GPUBuffer {
    this.#named(this.plan.outputs, name, 'output');
    return this.#idle.get(name)!.pop() ?? this.#makeStaging(name);
  }

  #makeStaging(name: string): GPUBuffer {
    const { operand } = this.plan.outputs.get(name)!;
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const made = this.gpu.createBuffer(byteLength(operand), usage, `${name} staging`);
    this.own.push(made);
    return made;
  }

  /** Writes an input without running. */
  write(name: string, data: TensorInput): void {
    const operand = this.#named(this.plan.inputs, name, 'input');
    if (data.length !== elementCount(operand.shape)) {
      throw new TilewrightError(
        'wrong-shape',
        `input ${name}: expected ${elementCount(operand.shape)} elements for ${formatTensor(operand)}, got ${data.length}`,
      );
    }
    this.gpu.write(this.buffers.get(operand)!, 0, asTensorData(name, operand, data));
  }

  /** Encodes the plan as one compute pass. */
  encode(encoder: GPUCommandEncoder, timestampWrites?: GPUComputePassTimestampWrites): void {
    const pass = encoder.beginComputePass(timestampWrites ? { timestampWrites } : {});
    for (const step of this.steps) dispatch(this.gpu, pass, step);
    pass.end();
    this.gpu.counters.passes++;
  }

  /** Bytes of this session's own buffers: intermediates, inputs, staging, numbers. */
  get bytes(): number {
    return this.own.reduce((sum, { size }) => sum + size, 0);
  }

  protected release(): void {
    for (const resource of this.owned) resource.dispose();
  }
}

/** Makes buffers that a session owns. */
const allocator =
  (gpu: Gpu, own: GPUBuffer[], label: string) =>
  (bytes: number, usage: GPUBufferUsageFlags, name: string): GPUBuffer => {
    const buffer = gpu.createBuffer(bytes, usage, `${label} ${name}`);
    own.push(buffer);
    return buffer;
  };

/** A session that is made to be measured shares nothing, and says nothing. */
const LONE = { constants: undefined, states: undefined, tuner: undefined, onProgress: undefined, check: undefined };

/** The passes, done, in the forms that are the faster here; and the choice of kernels, to be made again when more is known. */
async function planner(gpu: Gpu, graph: Graph, options: BuildOptions, build?: typeof Session.build) {
  const load = quantizes(graph, options, gpu.caps)
    ? (await import('../graph/passes/quantization.ts')).quantization
    : undefined;
  const rewritten = (chosen: PassOptions): Graph => optimise(graph, chosen, gpu.caps, load?.(chosen, gpu.caps));
  const mode = options.choose ? 'off' : (options.tune ?? (gpu.card.software ? 'off' : 'fast'));
  const tuner = options.choose ? undefined : (options.tuner ?? (await import('../tune/tuner.ts')).Tuner.on(gpu));
  await tuner?.recall();
  const forms =
    tuner && mode !== 'off'
      ? await (await import('../tune/forms.ts')).chooseForms(tuner, gpu.caps, {
          options,
          rewritten,
          mode,
          signal: options.signal,
          build: build && ((one, how) => build(gpu, one, { ...how, tune: 'off', ...LONE })),
        })
      : {};
  const optimised = rewritten({ ...options, ...forms });
  const choose = options.choose ?? (mode === 'off' ? tuner?.guess : tuner?.choose);
  return { tuner, mode, replan: (): Plan => plan(optimised, gpu.caps, choose) };
}

/** Checks the type of an input; plain numbers take the type of the graph. */
function asTensorData(name: string, operand: Operand, data: TensorInput): TensorData {
  const expected = typedArray(operand.dataType, 0).constructor;
  if (data instanceof Object && (data as object).constructor === expected) return data as TensorData;
  if (ArrayBuffer.isView(data) && !(operand.dataType === 'float16' && data instanceof Float32Array)) {
    throw new TilewrightError(
      'wrong-type',
      `input ${name}: expected ${expected.name} for ${formatTensor(operand)}, got ${(data as object).constructor.name}`,
    );
  }
  const converted = typedArray(operand.dataType, data.length);
  (data as readonly number[]).forEach((value, i) => {
    converted[i] = operand.dataType === 'float16' ? toHalf(value) : value;
  });
  return converted;
}
