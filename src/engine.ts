import { type BuildOptions, buildSession } from './build/build.ts';
import { TilewrightError, throwIfAborted } from './errors.ts';
import {
  type AdapterCard,
  type Availability,
  availabilityOf,
  type DeviceOptions,
  requestAdapter,
  requestDevice,
} from './gpu/adapter.ts';
import type { Counters } from './gpu/counters.ts';
import { Gpu, type Movable } from './gpu/gpu.ts';
import type { AskForDevice } from './gpu/recovery.ts';
import { GraphBuilder } from './graph/builder.ts';
import { GROUP_NAMES, type GroupName, loadOps } from './graph/groups/index.ts';
import type { Graph } from './graph/ir.ts';
import { type ModelSource, onnxOf, openFolder } from './hub/folder.ts';
import { type FolderModel, loadModel } from './models/index.ts';
import { LOAD_RULES, type LoadOptions } from './models/model.ts';
import type { GraphModel } from './onnx/graph-model.ts';
import {
  checkArgument,
  checkOptions,
  either,
  flag,
  fn,
  list,
  object,
  oneOf,
  type Rules,
  refuse,
  signal,
  text,
} from './options.ts';
import type { Resource } from './runtime/resource.ts';
import type { Session } from './runtime/session.ts';
import type { IndexOptions, Keeper, OpenIndexOptions, VectorSource } from './vectors/make.ts';
import type { VectorIndex } from './vectors/vector-index.ts';
import type { WordVectorsOptions } from './vectors/words/open.ts';
import type { WordVectors } from './vectors/words/word-vectors.ts';
import type { VerifyOptions, VerifyReport } from './verify/verify.ts';

/** What an engine runs on: a device of its own, or the caller's. */
export interface EngineOptions extends DeviceOptions {
  /** The caller's own device: it is used as it is, and not destroyed with the engine. */
  device?: GPUDevice;
  /**
   * What becomes of models when the device is lost. true: calls go on, on a new device, with weights read again from
   * their source. A function is asked for the new device, and must be where `device` is the caller's; it gives
   * undefined where there shall be none. Absent: calls end with `device-lost`.
   */
  recover?: boolean | AskForDevice;
  /** Ends the creation with `aborted`. */
  signal?: AbortSignal;
}

/** What `engine.load` gives: `task` tells which. */
export type Model = FolderModel | GraphModel;

const DEVICE_RULES: Rules<DeviceOptions> = {
  powerPreference: oneOf('low-power', 'high-performance'),
  without: list(text),
  defaultLimits: flag,
  timestamps: flag,
};

const ENGINE_RULES: Rules<EngineOptions> = { ...DEVICE_RULES, device: object, recover: either(flag, fn), signal };

/** Tries to load a part of the library where that may be forbidden. Error: `no-import`. */
async function checkImport(): Promise<void> {
  if (!('ServiceWorkerGlobalScope' in globalThis)) return;
  await import('./build/rules.ts').catch((cause) => {
    throw new TilewrightError('no-import', 'a service worker cannot load the parts of the library later', {
      hint: "Import 'tilewright/single', which has them all.",
      cause,
    });
  });
}

/**
 * A GPU device with everything the engine keeps on it. Graphs are built and models are loaded on one. Events: `lost`
 * when the device is lost (`detail`: its GPUDeviceLostInfo), `recovered` when another has taken its place.
 */
export class Engine extends EventTarget {
  /** Ends what is being loaded or built when the engine goes. */
  readonly #life = new AbortController();
  readonly #resources = new Set<Resource>();

  #gpu!: Gpu;

  private constructor(gpu: Gpu) {
    super();
    this.#use(gpu);
  }

  #use(gpu: Gpu): void {
    this.#gpu = gpu;
    void gpu.device.lost.then((detail) => {
      if (!this.disposed) this.dispatchEvent(new CustomEvent('lost', { detail }));
    });
  }

  /** Says beforehand whether an engine can be had here, and if not, why and what would help. */
  static async availability(options: DeviceOptions = {}): Promise<Availability> {
    checkOptions('Engine.availability', options, DEVICE_RULES);
    return availabilityOf(async () => {
      await checkImport();
      return requestAdapter(options);
    });
  }

  /** Errors: `no-webgpu`, `no-adapter`, `no-import`, `invalid-argument`, `aborted`. */
  static async create(asked: EngineOptions = {}): Promise<Engine> {
    checkOptions('Engine.create', asked, ENGINE_RULES);
    const { device, signal, recover, ...options } = asked;
    throwIfAborted(signal, 'creating the engine');
    await checkImport();
    const own = async (counters?: Counters): Promise<Gpu> => {
      const adapter = await requestAdapter(options);
      return new Gpu(await requestDevice(adapter, options), adapter, true, counters);
    };
    const engine = new Engine(device ? new Gpu(device, undefined, false) : await own());
    try {
      if (recover) {
        const { recoverable } = await import('./gpu/recovery.ts');
        recoverable(engine, (gpu) => engine.#use(gpu), recover, device ? undefined : own);
      }
      throwIfAborted(signal, 'creating the engine');
      return engine;
    } catch (error) {
      engine.dispose();
      throw error;
    }
  }

  /** The device with what the engine counts on it; another one after a loss, with `recover`. @internal */
  get gpu(): Gpu {
    return this.#gpu;
  }

  /** Whether `dispose` was called. */
  get disposed(): boolean {
    return this.#life.signal.aborted;
  }

  /** What the adapter tells of itself: names, features, limits. */
  get adapter(): AdapterCard {
    return this.gpu.card;
  }

  /** The WebGPU device: to make buffers that models and sessions take and fill. */
  get device(): GPUDevice {
    return this.gpu.device;
  }

  /**
   * Resolves once the device is lost, with a reason and a message: `unknown` for a driver reset or sleep, `destroyed`
   * where it was destroyed, by `dispose` too. Calls under way then end with `device-lost`, or with `disposed`; with
   * `recover` they go on, and this is a promise of the new device.
   */
  get lost(): Promise<GPUDeviceLostInfo> {
    return this.device.lost;
  }

  /** A snapshot of what was asked of the GPU so far. */
  get counters(): Counters {
    return { ...this.gpu.counters };
  }

  /** A builder of graphs. Ops of groups (all but the core's) are there once they are loaded: `loadOps`. */
  graph(): GraphBuilder {
    return new GraphBuilder();
  }

  /**
   * Loads groups of ops, all where none is named: graphs of one's own can have them from then on. Error:
   * `invalid-argument`.
   */
  async loadOps(...names: readonly GroupName[]): Promise<void> {
    checkArgument('loadOps', 'names', names, list(oneOf(...GROUP_NAMES)));
    await loadOps(names.length ? names : GROUP_NAMES);
  }

  /** Plans a graph, prepares its weights and compiles its kernels. */
  async build(graph: Graph, options: BuildOptions = {}): Promise<Session> {
    checkOptions('build', options, (await import('./build/rules.ts')).BUILD_RULES);
    return this.#keep((signal) => buildSession(this.gpu, graph, { ...options, signal }), options.signal);
  }

  /**
   * Loads a model from a hub by its name (`org/model@revision`), from a Hugging Face folder (URL, path in Node, files), a single .safetensors, or an .onnx file with its
   * external data beside it. Errors: `not-found`, `access-denied`, `network`, `file-changed`, `invalid-file`, `unsupported-op`, `unsupported-type`,
   * `invalid-argument`, `missing-tensor`, `unused-tensor`, `unsupported-option`, `wrong-shape`, `unknown-architecture`,
   * `out-of-memory`, `aborted`; nothing stays on the device.
   */
  async load(source: ModelSource, options: LoadOptions = {}): Promise<Model> {
    checkOptions('load', options, LOAD_RULES);
    return this.#keep(async (signal): Promise<Model> => {
      const done = new AbortController();
      try {
        const { network, cache, sha256 } = options;
        const onProgress = options.onProgress && (await import('./tensor/timed.ts')).timed(options.onProgress);
        const folder = await openFolder(source, { signal, network, cache, sha256, onProgress, loaded: done.signal });
        const onnx = await onnxOf(folder);
        const how = { ...options, signal, onProgress };
        const model =
          onnx === undefined
            ? await loadModel(this.gpu, folder, how)
            : await (await import('./onnx/load.ts')).loadOnnx(this.gpu, folder, onnx, how);
        const { task = model.task } = options;
        try {
          if (task !== model.task) refuse('invalid-argument', folder.name, 'task', model.task, task);
          await folder.finish?.(signal);
          return model;
        } catch (error) {
          model.dispose();
          throw error;
        }
      } finally {
        done.abort();
      }
    }, options.signal);
  }

  /**
   * Brings vectors to the device, to be searched for the nearest to others: `index.search`. Errors: `invalid-argument`, `wrong-shape`,
   * `out-of-memory`, `aborted`; nothing stays on the device.
   */
  async index(vectors: VectorSource, options: IndexOptions = {}): Promise<VectorIndex> {
    return (await import('./vectors/make.ts')).makeIndex(this.#keeper, vectors, options);
  }

  /**
   * Opens an index that `index.save` keeps under this name, or the file that `index.blob` gave. Errors: `not-found`, `invalid-file`,
   * `invalid-argument` where it was made by another model, `wrong-shape`, `no-cache`, `out-of-memory`, `aborted`.
   */
  async openIndex(
    source: string | Blob | ArrayBuffer | Uint8Array,
    options: OpenIndexOptions = {},
  ): Promise<VectorIndex> {
    return (await import('./vectors/make.ts')).openIndex(this.#keeper, source, options);
  }

  /**
   * Loads words with their vectors: a file of GloVe or word2vec (text or binary), a folder of model2vec. From where `load` takes
   * models. Errors: those of `load`, for what a file says otherwise than it has; nothing stays on the device.
   */
  async wordVectors(source: ModelSource, options: WordVectorsOptions = {}): Promise<WordVectors> {
    return (await import('./vectors/words/open.ts')).loadWordVectors(this.#keeper, source, options);
  }

  /**
   * Checks on this device, against references in float64, every kernel that a model or a session runs; without one, the
   * cases of all ops. What is wrong is replaced at once, and is not taken again on this device. Errors: `aborted`,
   * `device-lost`.
   */
  async verify(target?: Model | Session, options: VerifyOptions = {}): Promise<VerifyReport> {
    checkArgument('verify', 'options', options, object);
    const work = async (signal: AbortSignal): Promise<VerifyReport> => {
      return (await import('./verify/verify.ts')).verify(this.gpu, target, { ...options, signal });
    };
    return this.#live(work, options.signal, target instanceof Object && 'moveTo' in target ? target : this);
  }

  /** Work that ends with `aborted` at its own signal, with `disposed` when the engine goes. `moved`: what a new device is for. */
  async #live<T>(work: (signal: AbortSignal) => Promise<T>, own?: AbortSignal, moved: Movable = this): Promise<T> {
    this.#alive();
    const life = this.#life.signal;
    const signal = own instanceof AbortSignal ? AbortSignal.any([own, life]) : (own ?? life);
    const { recovery } = this.gpu;
    try {
      return await (recovery ? recovery.run(moved, () => work(signal)) : work(signal));
    } catch (error) {
      this.#alive();
      throw error;
    }
  }

  /** Ties a resource to the engine: it goes when the engine goes. */
  #keep<T extends Resource>(make: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#live(async (either) => {
      const resource = await make(either);
      if (this.disposed) resource.dispose();
      this.#alive();
      this.#resources.add(resource);
      resource.onDispose(() => this.#resources.delete(resource));
      return resource;
    }, signal);
  }

  readonly #keeper: Keeper = (make, signal) => this.#keep((either) => make(this.gpu, either), signal);

  #alive(): void {
    if (this.disposed) throw new TilewrightError('disposed', 'the engine was disposed of');
  }

  /** Frees everything on the device; the device too, unless it is the caller's. Twice is fine. */
  dispose(): void {
    if (this.disposed) return;
    this.#life.abort();
    for (const resource of [...this.#resources]) resource.dispose();
    this.gpu.dispose();
  }

  /** `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
