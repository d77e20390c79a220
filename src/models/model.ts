import {
  type BuildOptions,
  buildSession,
  type MemoryOptions,
  planOf,
  precompile,
  SHARED_RULES,
  WEIGHT_TYPES,
} from '../build/build.ts';
import { TilewrightError } from '../errors.ts';
import type { Checkpoint, CheckpointTensor } from '../formats/safetensors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Graph } from '../graph/ir.ts';
import type { ActivationOptions, Calibration } from '../graph/passes/activations.ts';
import type { WeightType, WeightTypes } from '../graph/passes/weight_types.ts';
import type { Plan } from '../graph/plan.ts';
import { workOf } from '../graph/work.ts';
import type { Folder } from '../hub/folder.ts';
import type { NetworkOptions } from '../hub/policy.ts';
import { checkOptions, flag, integer, list, object, type Rule, type Rules, text, valuesOf } from '../options.ts';
import type { Profile, ProfileOptions } from '../profile/profile.ts';
import { Resource } from '../runtime/resource.ts';
import type { Session, TensorInput } from '../runtime/session.ts';
import { type Make, SessionCache } from '../runtime/session-cache.ts';
import { Stores } from '../runtime/stores.ts';
import type { OnProgress } from '../tensor/progress.ts';
import type { TuneMode } from '../tune/tuner.ts';
import type { CalibrationOptions } from './calibration.ts';
import type { ModelReport, Reported, ReportOptions, Sample } from './report.ts';
import type { ModelSummary } from './summary.ts';

/** float16 is for weights and activations; int8 and int4 for weights, with float32 activations. */
export type ModelDataType = WeightType;

/** How a model is loaded. */
export interface LoadOptions extends Pick<BuildOptions, 'groupSize' | 'check' | 'memory'>, ActivationOptions {
  /**
   * The type of the weights: one, or one by the layer's name: `{ default: 'int8', wte: 'float32', 'h.0': 'float16' }`.
   * int8 and int4 are made from float weights at load, on the device; the shader scales them back. Absent: the type of
   * the checkpoint; int8 for a model of text of more than 300 million parameters.
   */
  dtype?: WeightTypes;
  /** Height and width of the images, where the folder does not say. */
  inputSize?: readonly [number, number];
  /** Of an ONNX model: numbers for the symbols among its dimensions, `{ batch: 1, sequence: 128 }`. */
  dims?: Readonly<Record<string, number>>;
  /**
   * Of an ONNX model: outputs that are inputs of the next run, `{ present: 'past' }`. They stay on the device. An input
   * that was not given yet is zeros; of its dimensions, a symbol that no other input binds is 0.
   */
  feedback?: Readonly<Record<string, string>>;
  /** Whether kernels are measured on this device first: as in `BuildOptions`. */
  tune?: TuneMode;
  /**
   * Tokens of prompt and continuation at the most, of a model of text: rows of its cache. Absent: what the model is made for, at most
   * 4096 of a decoder with rotary positions.
   */
  context?: number;
  /**
   * What the model shall do, where it is something else than its folder says: of encoders of texts, `feature-extraction` takes any for
   * vectors of texts, without its head. Error: `invalid-argument` where it does something else.
   */
  task?: string;
  /** Lets tensors pass that no layer takes. Otherwise they are an error (`unused-tensor`). */
  allowUnused?: boolean;
  /** How files behind URLs are fetched: `{ headers: { Authorization: 'Bearer hf_TOKEN' }, stall: 10_000 }`. */
  network?: NetworkOptions;
  /**
   * Whether files behind URLs are kept, in the origin's private file system or in Node in the user's folder of caches, so
   * that the next load fetches nothing that has not changed, and works offline. Default: true for a name on a hub, else false.
   */
  cache?: boolean;
  /** What files have to hash to, in hexadecimal digits by name: `{ 'model.safetensors': '9f86…' }`. Error: `invalid-file`. */
  sha256?: Readonly<Record<string, string>>;
  /** Ends the load with `aborted`; nothing stays on the device. */
  signal?: AbortSignal;
  /** Is told how far the load has come. */
  onProgress?: OnProgress;
}

/** How a model is opened. */
export interface OpenOptions extends LoadOptions {
  /** Nothing goes to the device, and no weights are read: for its graphs and its summary. */
  readonly onPaper?: boolean;
}

const SHA256: Rule = ['64 hexadecimal digits', (value) => /^[\da-f]{64}$/i.test(String(value))];

export const LOAD_RULES: Rules<LoadOptions> = {
  ...SHARED_RULES,
  dtype: WEIGHT_TYPES,
  inputSize: list(integer(1, 65536), 2),
  dims: valuesOf(integer(0)),
  feedback: valuesOf(text),
  context: integer(1),
  task: text,
  allowUnused: flag,
  network: object,
  cache: flag,
  sha256: valuesOf(SHA256),
};

type SessionOptions = Pick<BuildOptions, 'runsAhead' | 'signal' | 'onProgress'>;

/** What a model is made from. It is kept, so that everything on the device can be made again. */
export interface ModelFiles {
  readonly name: string;
  readonly folder: Folder;
  readonly checkpoint: Checkpoint;
  /** config.json, where there is one. */
  readonly config: Readonly<Record<string, unknown>> | undefined;
}

/** What a model is, in figures. */
export interface ModelInfo {
  readonly name: string;
  /** `resnet20`, `gpt2`. */
  readonly architecture: string;
  readonly dtype: ModelDataType;
  /** Numbers in its weights. */
  readonly parameters: number;
  /** Multiply-accumulates for one image, or for one token. */
  readonly macs: number;
  /** Bytes of the weights in the file, and on the device. */
  readonly weightBytes: { readonly file: number; readonly device: number };
}

/** Any model: its stores and sessions, and the work that all models have. */
export abstract class LoadedModel extends Resource {
  /** What the model does: tells its class. */
  abstract readonly task: string;
  /** `resnet20`, `gpt2`, `onnx`. */
  abstract readonly architecture: string;
  #gpu!: Gpu;
  #stores!: Stores;
  #sessions!: SessionCache<Session>;
  /** The sessions of a device that was lost. */
  #before = new Map<string, Make<Session>>();
  readonly #memory: MemoryOptions | undefined;
  protected readonly title: string;
  /** The options that its sessions are built with. @internal */
  readonly how: BuildOptions;
  readonly dtype: ModelDataType;
  /** The type of activations. */
  protected readonly dataType: 'float32' | 'float16';

  constructor(
    gpu: Gpu,
    /** @internal */
    readonly files: ModelFiles,
    { dtype, groupSize, check, tune, memory, activations, calibration, integer }: LoadOptions,
  ) {
    super();
    this.title = `the model ${files.name}`;
    this.#settle(gpu);
    this.#memory = memory;
    const types = typeof dtype === 'object' ? dtype : { default: dtype ?? storedType(files.checkpoint) };
    this.dtype = types.default;
    this.dataType = types.default === 'float16' ? 'float16' : 'float32';
    const other = Object.values(types).find((type) => type !== 'float16');
    if (this.dataType === 'float16' && other) {
      throw new TilewrightError('invalid-argument', `dtype: with activations of float16 no layer is ${other}`, {
        hint: "Let the default be float32 (or int8), and the layers that shall be small float16: { default: 'float32', fc: 'float16' }.",
      });
    }
    const integers = { activations, calibration, integer };
    this.how = {
      groupSize,
      check,
      tune,
      ...integers,
      ...(this.dataType === 'float32' && dtype && { weights: dtype }),
    };
  }

  /** The device that it is on: another one after a loss, where the engine recovers. @internal */
  get gpu(): Gpu {
    return this.#gpu;
  }

  /** Leaves a lost device. Weights, sessions and states are made again on `gpu` when they are needed. @internal */
  moveTo(gpu: Gpu): void {
    for (const [name, make] of this.#sessions.makes()) this.#before.set(name, make);
    this.release();
    this.#settle(gpu);
  }

  /** Sessions of different shapes that are kept at a time. */
  protected get mostSessions(): number {
    return 4;
  }

  #settle(gpu: Gpu): void {
    this.#gpu = gpu;
    this.#sessions = new SessionCache(this.title, this.mostSessions);
    this.#stores = new Stores(gpu);
  }

  /** Work that begins again on a new device where this one is lost and the engine recovers; only the next does unless `again`. */
  protected recovering<T>(work: () => Promise<T>, again = true): Promise<T> {
    const { recovery } = this.gpu;
    return recovery ? recovery.run(this, work, again) : work();
  }

  /** Numbers in its weights. */
  abstract readonly parameters: number;
  protected abstract readonly macs: number;

  /** Name, architecture, type, sizes. */
  get info(): ModelInfo {
    const weightBytes = { file: this.files.checkpoint.byteLength, device: this.#stores.constants.bytes };
    return {
      name: this.files.name,
      architecture: this.architecture,
      dtype: this.dtype,
      parameters: this.parameters,
      macs: this.macs,
      weightBytes,
    };
  }

  /** The sessions that are built so far. Those of a device that was lost are built again. */
  async sessions(): Promise<Session[]> {
    for (const [name, make] of this.#before) await this.#sessions.use(name, make, async () => {});
    this.#before.clear();
    return this.#sessions.all();
  }

  /** Bytes on the device: weights, states, and the memory of all sessions, shared or not. */
  async deviceBytes(): Promise<{ weights: number; states: number; sessions: number }> {
    await this.sessions();
    const { constants, states, sessionBytes } = this.#stores;
    return { weights: constants.bytes, states: states.bytes, sessions: sessionBytes };
  }

  /** The session of this name. It is built on first use, on the stores of the model, and stays. */
  protected session(name: string, graph: () => Graph, options: SessionOptions = {}): Promise<Session> {
    return this.#sessions.get(name, this.#make(name, graph, options), options.signal);
  }

  /** Works with the session of one shape among many. At most `mostSessions` are kept. */
  protected withSession<T>(
    name: string,
    graph: () => Graph,
    work: (session: Session) => Promise<T>,
    options: SessionOptions = {},
  ): Promise<T> {
    return this.#sessions.use(name, this.#make(name, graph, options), work, options.signal);
  }

  #make(name: string, graph: () => Graph, options: SessionOptions): Make<Session> {
    const shared = { memory: this.#memory, label: name };
    return async (signal) => this.buildOn(this.gpu, graph(), { ...options, ...shared, stores: this.#stores, signal });
  }

  /** Counts what a model has on the device beside its sessions. It goes with the model. */
  protected keep<T extends { readonly bytes: number; dispose(): void }>(beside: T): T {
    this.alive();
    this.#stores.sessions.add(beside);
    return beside;
  }

  /** Bytes that are left of the budget. */
  protected get room(): number {
    return (this.#memory?.budget ?? Number.POSITIVE_INFINITY) - this.#stores.bytes;
  }

  /** What runs for a graph of the model. */
  plan(graph: Graph): Promise<Plan> {
    return planOf(this.gpu, graph, this.how);
  }

  /** Starts to compile the kernels of graphs that are built later, while the weights stream. */
  protected precompile(graphs: readonly Graph[]): void {
    for (const graph of graphs) precompile(this.gpu, graph, this.how);
  }

  /** Builds a graph of the model in its dtype. The profiler does so on a device of its own. @internal */
  buildOn(gpu: Gpu, graph: Graph, options: BuildOptions = {}): Promise<Session> {
    return buildSession(gpu, graph, { ...this.how, ...options });
  }

  /**
   * Builds a graph of one's own on the weights that the model has on the device: what `graph()` gives, with other outputs, or with ops after them.
   * What `topological` lists of it has the names of the layers as labels. States are the session's own. It goes with the model. Errors: those of
   * `engine.build`.
   */
  async build(graph: Graph, options: BuildOptions = {}): Promise<Session> {
    checkOptions('build', options, (await import('../build/rules.ts')).BUILD_RULES);
    return this.recovering(async () => {
      const stores = new Stores(this.gpu, this.#stores.constants, true);
      try {
        const session = await this.buildOn(this.gpu, graph, { ...options, stores });
        session.onDispose(() => stores.dispose());
        return session;
      } catch (error) {
        stores.dispose();
        throw error;
      }
    });
  }

  /** The scales of all layers' inputs over sample inputs of a graph: for `activations: 'static'`. */
  protected async calibrateOn(
    graph: Graph,
    samples: Iterable<Readonly<Record<string, TensorInput>>> | AsyncIterable<Readonly<Record<string, TensorInput>>>,
    options: CalibrationOptions,
  ): Promise<Calibration> {
    const { calibrate } = await import('./calibration.ts');
    // The states are its own: a text that is being written keeps its cache.
    const stores = new Stores(this.gpu, this.#stores.constants, true);
    try {
      return await calibrate(this.gpu, graph, { ...this.how, stores }, samples, options);
    } finally {
      stores.dispose();
    }
  }

  /** The graphs of the model's main work, by name: for printing and for the profiler. */
  abstract graphs(): Readonly<Record<string, Graph>>;

  /** Inputs for a graph of `graphs()`, as real work has them. */
  abstract typicalInputs(plan: string): Readonly<Record<string, TensorInput>>;

  /**
   * What every dispatch of a plan costs, on a device of its own with timestamp-query. Errors: `invalid-argument` for a plan
   * that the model has not got, `no-adapter`, `aborted`.
   */
  async profile(asked: ProfileOptions & { plan?: string } = {}): Promise<Profile> {
    const { profileApart, PROFILE_RULES } = await import('../profile/profile.ts');
    checkOptions('profile', asked, { plan: text, ...PROFILE_RULES });
    const { plan, ...options } = asked;
    const [name, graph] = this.#graphOf(plan);
    const build = (gpu: Gpu) => this.buildOn(gpu, graph, { signal: options.signal, check: undefined });
    const work = { parameters: this.parameters, ...(await workOf(graph)) };
    return profileApart({ build, inputs: this.typicalInputs(name), plan: name, work }, options);
  }

  /**
   * What one run of a plan asks for, layer by layer: parameters, multiply-accumulates, bytes of activations, in the types of
   * the graph. Nothing is computed. Error: `invalid-argument` for a plan that the model has not got.
   */
  async summary(options: { plan?: string } = {}): Promise<ModelSummary> {
    checkOptions('summary', options, { plan: text });
    return (await import('./summary.ts')).summarise(...this.#graphOf(options.plan));
  }

  /** One of `graphs()` by its name, the first where absent. Error: `invalid-argument`. */
  #graphOf(plan: string | undefined): [name: string, graph: Graph] {
    const graphs = Object.entries(this.graphs());
    const found = graphs.find(([name]) => plan === undefined || name === plan);
    if (found) return found;
    const known = graphs.map(([name]) => name).join(', ');
    throw new TilewrightError('invalid-argument', `there is no plan '${plan}' (${known})`);
  }

  /**
   * What small weights save and cost, layer by layer: bytes, errors of the weights, and errors of every layer's output
   * against float32. Samples are pictures for a classifier, texts or token ids for a generator; without any,
   * `typicalInputs`. Float32 weights are on the device meanwhile. Errors: `invalid-argument`, `invalid-image`,
   * `aborted`.
   */
  async report(samples: readonly Sample[] = [], options: ReportOptions = {}): Promise<ModelReport> {
    const { reportOn } = await import('./report.ts');
    return this.recovering(() => reportOn(this as unknown as Reported, samples, options));
  }

  protected release(): void {
    this.#sessions.dispose();
    this.#stores.dispose();
  }
}

/** int8 where the checkpoint has int8 weights with scales (GraphWeights), or blocks of them; int4 where it has such blocks; else float32. */
function storedType({ tensors }: Checkpoint): ModelDataType {
  const all = [...tensors.values()];
  if (all.some(({ blocks }) => blocks?.type === 'Q4_0')) return 'int4';
  const isInt8 = ({ name, typeName, blocks }: CheckpointTensor): boolean =>
    blocks?.type === 'Q8_0' || (typeName === 'I8' && tensors.has(`${name}_scale`));
  return all.some(isInt8) ? 'int8' : 'float32';
}

export const macsOf = async (graph: Graph): Promise<number> => (await workOf(graph)).macs;
