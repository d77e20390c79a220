import { type ErrorCode, TilewrightError } from '../errors.ts';
import { type AdapterCard, describeAdapter, MATRICES } from './adapter.ts';
import { type Counters, countBytes, createCounters } from './counters.ts';
import { PipelineCache } from './pipelines.ts';
import { Turns } from './turns.ts';
import { MAP_READ } from './usage.ts';

/** What kernels may rely on: the features and limits of the device, and the class of its adapter. */
export interface Caps {
  readonly software: boolean;
  /**
   * An invocation may keep a hundred numbers in registers. Intel's keep 64 floats and little else: the rest spills to
   * memory. A GPU that does not tell its vendor, as in Firefox, may be Intel's.
   */
  readonly manyRegisters: boolean;
  readonly f16: boolean;
  readonly subgroups: boolean;
  /** Invocations that every subgroup has at the least; 0 where there are none, or nothing is known. */
  readonly minSubgroupSize: number;
  /** The products of matrices that a subgroup computes, exact in their operands' type; none without the feature. */
  readonly subgroupMatrices: readonly SubgroupMatrix[];
  /** Long unrolled kernels compile quickly: 0.2 s on SwiftShader, 10 s and more on llvmpipe. */
  readonly longKernels: boolean;
  /**
   * Loops may have more than 65,535 rounds: the llvmpipe that wgpu takes through OpenGL (Mesa 22, without float16)
   * stops there.
   */
  readonly longLoops: boolean;
  /** WGSL has dot4I8Packed; else shifts stand for it. */
  readonly packedDot: boolean;
  readonly maxBindingBytes: number;
  readonly maxBufferBytes: number;
  readonly maxWorkgroupStorageBytes: number;
  readonly maxInvocations: number;
}

/** A product of M × K by K × N elements: float16 summed in float32, or int8 in int32. */
export interface SubgroupMatrix {
  readonly component: 'f16' | 'i8';
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Invocations of a subgroup at the most: of one that has the whole of a matrix. */
  readonly lanes: number;
}

/** What an adapter says of its subgroup matrices. */
interface MatrixInfo {
  readonly subgroupMaxSize: number;
  readonly subgroupMatrixConfigs?: Iterable<{
    readonly componentType: string;
    readonly resultComponentType: string;
    readonly M: number;
    readonly N: number;
    readonly K: number;
  }>;
}

/** Sums that lose nothing that the sums of other kernels keep. */
const EXACT_SUMS: readonly string[] = ['f16 f32', 'i8 i32'];

const matricesOf = ({ subgroupMatrixConfigs = [], subgroupMaxSize }: MatrixInfo): SubgroupMatrix[] =>
  [...subgroupMatrixConfigs]
    .filter((config) => EXACT_SUMS.includes(`${config.componentType} ${config.resultComponentType}`))
    .map(({ componentType, M, N, K }) => ({
      component: componentType as SubgroupMatrix['component'],
      m: M,
      n: N,
      k: K,
      lanes: subgroupMaxSize,
    }));

/** Bytes are padded to whole vec4, so that a kernel may read and write four elements at a time to the end. */
export const paddedBytes = (bytes: number): number => Math.max(16, Math.ceil(bytes / 16) * 16);

/** Vendors as WebGPU names them. */
const MANY_REGISTERS: readonly string[] = ['amd', 'apple', 'nvidia'];

/** Codes of errors that a lost device may cause. */
const FROM_WEBGPU: ReadonlySet<ErrorCode> = new Set(['shader-compile', 'gpu-validation']);

const ROOM = { hint: 'Dispose of models that are not used, or close other tabs.' };

/** Milliseconds from the first failure to `device.lost`, at the most: 26 were seen. */
const LOST_WITHIN_MS = 250;

const invalid = (cause: { message: string }): TilewrightError =>
  new TilewrightError('gpu-validation', cause.message, { cause });

/** What lives on a device, and can leave it for another. */
export interface Movable {
  readonly gpu: Gpu;
  readonly disposed: boolean;
  /** Leaves the device: what it has there is gone, and is made again on `gpu` when it is needed. Absent: `gpu` follows by itself. */
  moveTo?(gpu: Gpu): void;
}

/** Does work, and again on another device where one is lost: src/gpu/recovery.ts. */
export interface Recoverer {
  run<T>(target: Movable, work: () => Promise<T>, again?: boolean): Promise<T>;
}

/** A device, with counters, the pipeline cache, and whether it is lost. Knows no op. */
export class Gpu {
  readonly card: AdapterCard;
  readonly caps: Caps;
  readonly pipelines: PipelineCache;
  /** Runs that are submitted in parts, and what is submitted after them. Empty as long as all runs are short. */
  readonly turns = new Turns();
  /** When the run before ended: `performance.now()`. */
  ran = 0;
  /** Why nothing can run here any more: the device is lost, or disposed of. */
  #end: TilewrightError | undefined;
  /** What waits for the device: it ends with it. */
  readonly #waiting = new Set<() => void>();
  /** An error of WebGPU that no scope caught. */
  #stray: TilewrightError | undefined;
  #owned: boolean;
  /** What gives another device where this one is lost. Absent: nothing does. */
  recovery: Recoverer | undefined;

  /** `owned` devices are destroyed with this object; the caller's own device is not. `counters`: those of a device before. */
  constructor(
    readonly device: GPUDevice,
    adapter: GPUAdapter | undefined,
    owned: boolean,
    readonly counters: Counters = createCounters(),
  ) {
    const info = adapter?.info ?? device.adapterInfo;
    this.card = describeAdapter({ info, features: device.features, limits: device.limits });
    // An adapter that tells no name, as in Firefox, may be any: what serves llvmpipe is right on all.
    const llvmpipe = /llvmpipe|^$/i.test(info.vendor + info.device + info.description);
    const f16 = device.features.has('shader-f16');
    const subgroups = device.features.has('subgroups' as GPUFeatureName);
    const matrices = subgroups && device.features.has(MATRICES as GPUFeatureName);
    this.caps = {
      software: this.card.software,
      manyRegisters: this.card.software || MANY_REGISTERS.includes(info.vendor),
      f16,
      subgroups,
      minSubgroupSize: subgroups ? (info.subgroupMinSize ?? 0) : 0,
      subgroupMatrices: matrices ? matricesOf(info as MatrixInfo) : [],
      longKernels: !llvmpipe,
      longLoops: !llvmpipe || f16,
      packedDot: globalThis.navigator?.gpu?.wgslLanguageFeatures?.has('packed_4x8_integer_dot_product') ?? false,
      maxBindingBytes: device.limits.maxStorageBufferBindingSize,
      maxBufferBytes: device.limits.maxBufferSize,
      maxWorkgroupStorageBytes: device.limits.maxComputeWorkgroupStorageSize,
      maxInvocations: device.limits.maxComputeInvocationsPerWorkgroup,
    };
    this.#owned = owned;
    this.pipelines = new PipelineCache(device, this.counters);
    void device.lost.then((info) => {
      this.#stop(
        new TilewrightError('device-lost', `the GPU device was lost (${info.reason || 'unknown'}): ${info.message}`, {
          hint: 'Create an engine with `recover: true`, or a new engine and load the model again: nothing but the GPU copy is gone.',
        }),
      );
    });
    // On the caller's own device, errors outside our scopes are the caller's.
    if (!owned) return;
    device.addEventListener('uncapturederror', (event) => {
      this.#stray ??= invalid((event as GPUUncapturedErrorEvent).error);
    });
  }

  #stop(end: TilewrightError): void {
    this.#end ??= end;
    for (const stop of this.#waiting) stop();
  }

  /** Whether the device is lost, and not disposed of. */
  get lost(): boolean {
    return this.#end?.code === 'device-lost';
  }

  /** Throws why nothing can run here, at every call. Throws once an error of WebGPU that no scope caught. */
  check(): void {
    if (this.#end) throw this.#end;
    const stray = this.#stray;
    this.#stray = undefined;
    if (stray) throw stray;
  }

  /**
   * Awaits a promise of the device, until the device is lost or `signal` fires. A rejection goes through `explain`:
   * `alive` throws where the signal fired.
   */
  async guard<T>(promise: Promise<T>, alive?: () => void, signal?: AbortSignal): Promise<T> {
    let stop!: () => void;
    try {
      return await new Promise<T>((resolve, reject) => {
        stop = reject;
        promise.then(resolve, reject);
        if (this.#end || signal?.aborted) reject();
        this.#waiting.add(reject);
        signal?.addEventListener('abort', reject);
      });
    } catch (cause) {
      throw await this.explain(cause, alive);
    } finally {
      this.#waiting.delete(stop);
      signal?.removeEventListener('abort', stop);
    }
  }

  /**
   * The error that stands for an exception of WebGPU. Throws `disposed` by `alive` where the owner was disposed of, and
   * `device-lost` where the device is lost. WebGPU reports the loss some time after calls begin to fail, so this waits
   * for it.
   */
  async explain(cause: unknown, alive?: () => void): Promise<TilewrightError> {
    alive?.();
    if (cause instanceof TilewrightError && !FROM_WEBGPU.has(cause.code)) return cause;
    if (!this.#end)
      await Promise.race([this.device.lost, new Promise((resolve) => setTimeout(resolve, LOST_WITHIN_MS))]);
    alive?.();
    this.check();
    return cause instanceof TilewrightError ? cause : invalid(cause as Error);
  }

  /**
   * Does work at once, within error scopes. An error of WebGPU in this work rejects the promise, and no other work on
   * this device fails. The promise need not be awaited.
   */
  scoped<T>(what: string, work: () => T): readonly [T, Promise<void>] {
    const { device } = this;
    device.pushErrorScope('validation');
    device.pushErrorScope('out-of-memory');
    let scopes: readonly Promise<GPUError | null>[];
    let result: T;
    try {
      result = work();
    } finally {
      scopes = [device.popErrorScope(), device.popErrorScope()];
      for (const scope of scopes) scope.catch(() => {}); // reported by the promise below
    }
    const judged = this.guard(Promise.all(scopes)).then(([memory, validation]) => {
      if (memory)
        throw new TilewrightError('out-of-memory', `the GPU has no room for ${what}: ${memory.message}`, ROOM);
      if (validation) throw invalid(validation);
    });
    judged.catch(() => {});
    return [result, judged];
  }

  createBuffer(bytes: number, usage: GPUBufferUsageFlags, label: string): GPUBuffer {
    this.check();
    const size = paddedBytes(bytes);
    if (size > this.caps.maxBufferBytes) {
      throw new TilewrightError(
        'limit-exceeded',
        `${label}: ${size} bytes are more than a buffer can hold here (${this.caps.maxBufferBytes})`,
      );
    }
    const buffer = this.device.createBuffer({ size, usage, label });
    countBytes(this.counters, 'bytes', size);
    return buffer;
  }

  destroyBuffer(buffer: GPUBuffer): void {
    countBytes(this.counters, 'bytes', -buffer.size);
    buffer.destroy();
  }

  /** Writes bytes to a buffer. A length that is no multiple of 4 is padded with zeros. */
  write(buffer: GPUBuffer, offset: number, data: ArrayBufferView): void {
    const { byteLength } = data;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, byteLength);
    const whole = byteLength & ~3;
    if (whole) this.device.queue.writeBuffer(buffer, offset, bytes as Uint8Array<ArrayBuffer>, 0, whole);
    if (whole < byteLength) {
      const tail = new Uint8Array(4);
      tail.set(bytes.subarray(whole));
      this.device.queue.writeBuffer(buffer, offset + whole, tail);
    }
    this.counters.bytesUploaded += byteLength;
  }

  submit(encoder: GPUCommandEncoder): void {
    this.device.queue.submit([encoder.finish()]);
    this.counters.submits++;
  }

  /** Maps a staging buffer that a copy was encoded into, and returns its bytes. */
  async readStaging(staging: GPUBuffer, bytes: number, alive?: () => void): Promise<ArrayBuffer> {
    await this.guard(staging.mapAsync(MAP_READ, 0, Math.ceil(bytes / 4) * 4), alive);
    const copy = staging.getMappedRange(0, Math.ceil(bytes / 4) * 4).slice(0, bytes);
    staging.unmap();
    this.counters.bytesRead += bytes;
    return copy;
  }

  /** Work under way ends with `disposed`. */
  dispose(): void {
    this.#stop(new TilewrightError('disposed', 'the engine was disposed of'));
    if (this.#owned) this.device.destroy();
  }
}
