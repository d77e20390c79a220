import { type BuildOptions, buildSession } from './build/build.ts';
import { TilewrightError, throwIfAborted } from './errors.ts';
import {
  type AdapterCard,
  adapterName,
  type DeviceOptions,
  describeAdapter,
  requestAdapter,
  requestDevice,
} from './gpu/adapter.ts';
import type { Counters } from './gpu/counters.ts';
import { Gpu } from './gpu/gpu.ts';
import { GraphBuilder } from './graph/builder.ts';
import { GROUP_NAMES, type GroupName, loadOps } from './graph/groups/index.ts';
import type { Graph } from './graph/ir.ts';
import { type ModelSource, onnxOf, openFolder } from './hub/folder.ts';
import { type FolderModel, loadModel } from './models/index.ts';
import { LOAD_RULES, type LoadOptions } from './models/model.ts';
import type { GraphModel } from './onnx/graph-model.ts';
import { checkArgument, checkOptions, flag, list, object, oneOf, type Rules, signal, text } from './options.ts';
import type { Resource } from './runtime/resource.ts';
import type { Session } from './runtime/session.ts';
import type { VerifyOptions, VerifyReport } from './verify/verify.ts';

export interface EngineOptions extends DeviceOptions {
  /** The caller's own device: it is used as it is, and not destroyed with the engine. */
  device?: GPUDevice;
  signal?: AbortSignal;
}

/** What `engine.load` gives: `task` tells which. */
export type Model = FolderModel | GraphModel;

export type Availability =
  | { readonly available: true; readonly adapter: AdapterCard; readonly name: string }
  | {
      readonly available: false;
      readonly code: 'no-webgpu' | 'no-adapter';
      readonly reason: string;
      readonly hint: string | undefined;
    };

const DEVICE_RULES: Rules<DeviceOptions> = {
  powerPreference: oneOf('low-power', 'high-performance'),
  without: list(text),
  defaultLimits: flag,
  timestamps: flag,
};

const ENGINE_RULES: Rules<EngineOptions> = { ...DEVICE_RULES, device: object, signal };

/** A GPU device with everything the engine keeps on it. Graphs are built and models are loaded on one. */
export class Engine {
  /** Ends what is being loaded or built when the engine goes. */
  readonly #life = new AbortController();
  readonly #resources = new Set<Resource>();

  private constructor(readonly gpu: Gpu) {}

  /** Says beforehand whether an engine can be had here, and if not, why and what would help. */
  static async availability(options: DeviceOptions = {}): Promise<Availability> {
    checkOptions('Engine.availability', options, DEVICE_RULES);
    try {
      const adapter = describeAdapter(await requestAdapter(options));
      return { available: true, adapter, name: adapterName(adapter) };
    } catch (error) {
      if (!(error instanceof TilewrightError) || (error.code !== 'no-webgpu' && error.code !== 'no-adapter'))
        throw error;
      return { available: false, code: error.code, reason: error.message, hint: error.hint };
    }
  }

  /** Errors: `no-webgpu`, `no-adapter`, `invalid-argument`, `aborted`. */
  static async create(asked: EngineOptions = {}): Promise<Engine> {
    checkOptions('Engine.create', asked, ENGINE_RULES);
    const { device, signal, ...options } = asked;
    throwIfAborted(signal, 'creating the engine');
    if (device) return new Engine(new Gpu(device, undefined, false));
    const adapter = await requestAdapter(options);
    const own = await requestDevice(adapter, options);
    const engine = new Engine(new Gpu(own, adapter, true));
    if (signal?.aborted) {
      engine.dispose();
      throwIfAborted(signal, 'creating the engine');
    }
    return engine;
  }

  get adapter(): AdapterCard {
    return this.gpu.card;
  }

  get device(): GPUDevice {
    return this.gpu.device;
  }

  /**
   * Resolves once the device is lost, with a reason and a message: `unknown` for a driver reset or sleep, `destroyed`
   * where it was destroyed, by `dispose` too. Calls under way then end with `device-lost`, or with `disposed`.
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
        await folder.finish?.(signal).catch((error) => {
          model.dispose();
          throw error;
        });
        return model;
      } finally {
        done.abort();
      }
    }, options.signal);
  }

  /**
   * Checks on this device, against references in float64, every kernel that a model or a session runs; without one, the
   * cases of all ops. What is wrong is replaced at once, and is not taken again on this device. Errors: `aborted`,
   * `device-lost`.
   */
  async verify(target?: Model | Session, options: VerifyOptions = {}): Promise<VerifyReport> {
    checkArgument('verify', 'options', options, object);
    return this.#live(async (signal) => {
      return (await import('./verify/verify.ts')).verify(this.gpu, target, { ...options, signal });
    }, options.signal);
  }

  /** Work that ends with `aborted` at its own signal, with `disposed` when the engine goes. */
  async #live<T>(work: (signal: AbortSignal) => Promise<T>, own?: AbortSignal): Promise<T> {
    this.#alive();
    const life = this.#life.signal;
    try {
      return await work(own instanceof AbortSignal ? AbortSignal.any([own, life]) : (own ?? life));
    } catch (error) {
      this.#alive();
      throw error;
    }
  }

  /** Ties a resource to the engine: it goes when the engine goes. */
  #keep<T extends Resource>(make: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#live(async (either) => {
      const resource = await make(either);
      if (this.#life.signal.aborted) resource.dispose();
      this.#alive();
      this.#resources.add(resource);
      resource.onDispose(() => this.#resources.delete(resource));
      return resource;
    }, signal);
  }

  #alive(): void {
    if (this.#life.signal.aborted) throw new TilewrightError('disposed', 'the engine was disposed of');
  }

  /** Frees everything on the device; the device too, unless it is the caller's. Twice is fine. */
  dispose(): void {
    if (this.#life.signal.aborted) return;
    this.#life.abort();
    for (const resource of [...this.#resources]) resource.dispose();
    this.gpu.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
