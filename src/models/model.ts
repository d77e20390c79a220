import { TilewrightError } from '../errors.ts';
import type { Checkpoint } from '../formats/safetensors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Graph } from '../graph/ir.ts';
import type { ActivationOptions, Calibration } from '../graph/passes/activations.ts';
import type { WeightType, WeightTypes } from '../graph/passes/weight_types.ts';
import type { Plan } from '../graph/plan.ts';
import type { Folder } from '../hub/folder.ts';
import {
  checkOptions,
  either,
  flag,
  fn,
  integer,
  list,
  number,
  oneOf,
  type Rule,
  type Rules,
  signal,
  text,
  valuesOf,
} from '../options.ts';
import type { Profile, ProfileOptions, Work } from '../profile/profile.ts';
import { ConstantStore } from '../runtime/constants.ts';
import { Resource } from '../runtime/resource.ts';
import { type BuildOptions, Session, type TensorInput } from '../runtime/session.ts';
import { States } from '../runtime/states.ts';
import type { OnProgress } from '../tensor/progress.ts';
import type { TuneMode } from '../tune/tuner.ts';
import type { CalibrationOptions } from './calibration.ts';
import type { ModelReport, Reported, ReportOptions, Sample } from './report.ts';

/** float16 is for weights and activations; int8 and int4 for weights, with float32 activations. */
export type ModelDataType = WeightType;

export interface LoadOptions extends Pick<BuildOptions, 'groupSize' | 'check'>, ActivationOptions {
  /**
   * What the model is kept in: one type, or a type by the layer's name, as `{ default: 'int8', fc: 'float32', 'h.0': 'float16' }`. int8 and int4
   * are made from the float checkpoint at load, on the device, and are scaled back in the shader. As the checkpoint has it where absent.
   */
  dtype?: WeightTypes;
  /** Height and width of the images, where the folder does not say. */
  inputSize?: readonly [number, number];
  /** Whether kernels are measured on this device first: as in `BuildOptions`. */
  tune?: TuneMode;
  /** Loads a checkpoint although it has tensors that no layer takes: otherwise they are an error (`unused-tensor`). */
  allowUnused?: boolean;
  signal?: AbortSignal;
  onProgress?: OnProgress;
}

const DTYPE = oneOf('float32', 'float16', 'int8', 'int4');

const withDefault = ([expected, allows]: Rule): Rule => [
  `${expected} with a default`,
  (value) => allows(value) && 'default' in (value as object),
];

export const LOAD_RULES: Rules<LoadOptions> = {
  dtype: either(DTYPE, withDefault(valuesOf(DTYPE))),
  groupSize: oneOf(32, 64, 128),
  check: oneOf('finite'),
  activations: oneOf('dynamic', 'static'),
  calibration: valuesOf(number(0)),
  integer: fn,
  inputSize: list(integer(1, 65536), 2),
  tune: oneOf('off', 'fast', 'full'),
  allowUnused: flag,
  signal,
  onProgress: fn,
};

type SessionOptions = Pick<BuildOptions, 'runsAhead' | 'signal' | 'onProgress'>;

/** What a model is made from: kept, so that everything on the device can be made again. */
export interface ModelFiles {
  readonly name: string;
  readonly folder: Folder;
  readonly checkpoint: Checkpoint;
  /** config.json, where there is one. */
  readonly config: Readonly<Record<string, unknown>> | undefined;
}

export interface ModelInfo {
  readonly name: string;
  /** `resnet20`, `gpt2`. */
  readonly architecture: string;
  readonly dtype: ModelDataType;
  readonly parameters: number;
  /** Multiply-accumulates for one image, or for one token. */
  readonly macs: number;
  /** Bytes of the weights in the file, and on the device. */
  readonly weightBytes: { readonly file: number; readonly device: number };
}

/** What every model has: its weights on the device, the sessions built on them, and one place to free them all. */
export abstract class LoadedModel extends Resource {
  abstract readonly task: string;
  abstract readonly architecture: string;
  readonly #constants: ConstantStore;
  readonly states: States;
  readonly #sessions = new Map<string, Promise<Session>>();
  /** As the model was loaded: sessions that are built later follow. */
  readonly how: BuildOptions;
  readonly dtype: ModelDataType;
  /** The type of activations. */
  protected readonly dataType: 'float32' | 'float16';

  constructor(
    readonly gpu: Gpu,
    readonly files: ModelFiles,
    { dtype, groupSize, check, tune, activations, calibration, integer }: LoadOptions,
  ) {
    super();
    this.#constants = new ConstantStore(gpu);
    this.states = new States(gpu);
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

  abstract readonly parameters: number;
  protected abstract readonly macs: number;

  get info(): ModelInfo {
    const weightBytes = { file: this.files.checkpoint.byteLength, device: this.#constants.bytes };
    return {
      name: this.files.name,
      architecture: this.architecture,
      dtype: this.dtype,
      parameters: this.parameters,
      macs: this.macs,
      weightBytes,
    };
  }

  /** Those that are built so far. */
  sessions(): Promise<Session[]> {
    return Promise.all(this.#sessions.values());
  }

  /** Bytes of the weights, the states and all sessions' buffers on the device. */
  async deviceBytes(): Promise<{ weights: number; states: number; sessions: number }> {
    const sessions = await this.sessions();
    return {
      weights: this.#constants.bytes,
      states: this.states.bytes,
      sessions: sessions.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  /** The session of this name; built on first use, on the weights and states that all sessions of the model share. */
  protected session(name: string, graph: () => Graph, options: SessionOptions = {}): Promise<Session> {
    if (this.disposed) throw new TilewrightError('disposed', `the model ${this.files.name} was disposed of`);
    let session = this.#sessions.get(name);
    if (!session) {
      session = this.buildOn(this.gpu, graph(), {
        ...options,
        constants: this.#constants,
        states: this.states,
        label: name,
      });
      session.catch(() => this.#sessions.delete(name));
      this.#sessions.set(name, session);
    }
    return session;
  }

  /** What runs for a graph of the model. */
  plan(graph: Graph): Promise<Plan> {
    return Session.plan(this.gpu, graph, this.how);
  }

  /** Starts to compile the kernels of graphs whose sessions are built later: while the weights stream for the first. */
  protected precompile(graphs: readonly Graph[]): void {
    for (const graph of graphs) Session.precompile(this.gpu, graph, this.how);
  }

  /** Builds a graph of the model in its dtype. The profiler does so on a device of its own. */
  buildOn(gpu: Gpu, graph: Graph, options: BuildOptions = {}): Promise<Session> {
    return Session.build(gpu, graph, { ...this.how, ...options });
  }

  /** The scales of all layers' inputs over sample inputs of a graph of the model: for `activations: 'static'`. */
  protected async calibrateOn(
    graph: Graph,
    samples: Iterable<Readonly<Record<string, TensorInput>>> | AsyncIterable<Readonly<Record<string, TensorInput>>>,
    options: CalibrationOptions,
  ): Promise<Calibration> {
    const { calibrate } = await import('./calibration.ts');
    return calibrate(this.gpu, graph, { ...this.how, constants: this.#constants }, samples, options);
  }

  /** The plans behind the model's main work, by name: for printing and for the profiler. */
  abstract graphs(): Readonly<Record<string, Graph>>;

  /** Inputs that exercise a plan of `graphs()` as real work would. */
  abstract typicalInputs(plan: string): Readonly<Record<string, TensorInput>>;

  /**
   * What every dispatch of a plan costs, on a device of its own with timestamp-query. Errors: `invalid-argument` for a plan
   * that the model has not got, `no-adapter`, `aborted`.
   */
  async profile(asked: ProfileOptions & { plan?: string } = {}): Promise<Profile> {
    checkOptions('profile', asked, { plan: text, rounds: integer(1, 1e6), signal });
    const { plan, ...options } = asked;
    const graphs = this.graphs();
    const name = plan ?? Object.keys(graphs)[0]!;
    const graph = graphs[name];
    if (!graph)
      throw new TilewrightError('invalid-argument', `there is no plan '${name}' (${Object.keys(graphs).join(', ')})`);
    const { profileApart } = await import('../profile/profile.ts');
    const build = (gpu: Gpu) => this.buildOn(gpu, graph, { signal: options.signal, check: undefined });
    const work = { parameters: this.parameters, ...(await workOf(this.gpu, graph)) };
    return profileApart(build, this.typicalInputs(name), name, work, options);
  }

  /**
   * What the types of its weights save and cost, layer by layer: bytes, errors of the weights, and errors of every layer's output against
   * float32 over samples (pictures for a classifier, texts or token ids for a generator; `typicalInputs` where none are
   * given). Float32 weights are on the device for as long as it takes. Errors: `invalid-argument`, `invalid-image`, `aborted`.
   */
  async report(samples: readonly Sample[] = [], options: ReportOptions = {}): Promise<ModelReport> {
    return (await import('./report.ts')).reportOn(this as unknown as Reported, samples, options);
  }

  protected release(): void {
    for (const session of this.#sessions.values()) {
      session.then(
        (built) => built.dispose(),
        () => {},
      );
    }
    this.#constants.dispose();
    this.states.dispose();
  }
}

/** int8 for a checkpoint that has its weights so (GraphWeights), else float32. */
const storedType = ({ tensors }: Checkpoint): ModelDataType =>
  [...tensors.values()].some(({ name, typeName }) => typeName === 'I8' && tensors.has(`${name}_scale`))
    ? 'int8'
    : 'float32';

/** The work of a graph as people count it: a convolution is what its definition says, however it is computed. */
async function workOf(gpu: Gpu, graph: Graph): Promise<Work> {
  const { steps } = await Session.plan(gpu, graph, { tune: 'off', without: ['winograd'] });
  return steps.reduce(({ macs, flops }, { cost }) => ({ macs: macs + cost.macs, flops: flops + cost.flops }), {
    macs: 0,
    flops: 0,
  });
}

export const macsOf = async (gpu: Gpu, graph: Graph): Promise<number> => (await workOf(gpu, graph)).macs;
