import { TilewrightError } from '../errors.ts';
import type { Checkpoint } from '../formats/safetensors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Graph } from '../graph/ir.ts';
import type { Plan } from '../graph/plan.ts';
import type { Folder } from '../hub/folder.ts';
import type { Profile, ProfileOptions } from '../profile/profile.ts';
import { ConstantStore } from '../runtime/constants.ts';
import { Resource } from '../runtime/resource.ts';
import { type BuildOptions, Session, type TensorInput } from '../runtime/session.ts';
import { States } from '../runtime/states.ts';
import type { OnProgress } from '../tensor/progress.ts';
import type { TuneMode } from '../tune/tuner.ts';

export type ModelDataType = 'float32' | 'float16' | 'int8';

export interface LoadOptions {
  /** `int8` quantises the weights at load and dequantises them in the shader; `float16` needs shader-f16. */
  dtype?: ModelDataType;
  /** Height and width of the images, where the folder does not say. */
  inputSize?: readonly [number, number];
  /** Whether kernels are measured on this device first: as in `BuildOptions`. */
  tune?: TuneMode;
  signal?: AbortSignal;
  onProgress?: OnProgress;
}

type SessionOptions = LoadOptions & Pick<BuildOptions, 'runsAhead'>;

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
  #tune: TuneMode | undefined;

  constructor(
    readonly gpu: Gpu,
    readonly files: ModelFiles,
    readonly dtype: ModelDataType,
  ) {
    super();
    this.#constants = new ConstantStore(gpu);
    this.states = new States(gpu);
  }

  /** The type of activations. */
  protected get dataType(): 'float32' | 'float16' {
    return this.dtype === 'float16' ? 'float16' : 'float32';
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
    this.#tune ??= options.tune;
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

  get #buildOptions(): BuildOptions {
    return { tune: this.#tune, ...(this.dtype === 'int8' && { weights: 'int8' }) };
  }

  /** What runs for a graph of the model. */
  plan(graph: Graph): Promise<Plan> {
    return Session.plan(this.gpu, graph, this.#buildOptions);
  }

  /** Starts to compile the kernels of graphs whose sessions are built later: while the weights stream for the first. */
  protected precompile(graphs: readonly Graph[], { tune }: LoadOptions): void {
    this.#tune ??= tune;
    for (const graph of graphs) Session.precompile(this.gpu, graph, this.#buildOptions);
  }

  /** Builds a graph of the model in its dtype. The profiler does so on a device of its own. */
  buildOn(gpu: Gpu, graph: Graph, options: BuildOptions = {}): Promise<Session> {
    return Session.build(gpu, graph, { ...this.#buildOptions, ...options });
  }

  /** The plans behind the model's main work, by name: for printing and for the profiler. */
  abstract graphs(): Readonly<Record<string, Graph>>;

  /** Inputs that exercise a plan of `graphs()` as real work would. */
  protected abstract typicalInputs(plan: string): Readonly<Record<string, TensorInput>>;

  /**
   * What every dispatch of a plan costs, on a device of its own with timestamp-query. Errors: `invalid-argument` for a plan
   * that the model has not got, `no-adapter`, `aborted`.
   */
  async profile({ plan, ...options }: ProfileOptions & { plan?: string } = {}): Promise<Profile> {
    const graphs = this.graphs();
    const name = plan ?? Object.keys(graphs)[0]!;
    const graph = graphs[name];
    if (!graph)
      throw new TilewrightError('invalid-argument', `there is no plan '${name}' (${Object.keys(graphs).join(', ')})`);
    const { profileApart } = await import('../profile/profile.ts');
    const build = (gpu: Gpu) => this.buildOn(gpu, graph, { signal: options.signal });
    return profileApart(build, this.typicalInputs(name), name, this.parameters, options);
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

/** Multiply-accumulates of a graph as people count them: a convolution is what its definition says, however it is computed. */
export async function macsOf(gpu: Gpu, graph: Graph): Promise<number> {
  const { steps } = await Session.plan(gpu, graph, { tune: 'off', without: ['winograd'] });
  return steps.reduce((sum, { cost }) => sum + cost.macs, 0);
}
