import { TilewrightError } from '../errors.ts';
import { type AdapterCard, describeAdapter } from './adapter.ts';
import { type Counters, countBytes, createCounters } from './counters.ts';
import { PipelineCache } from './pipelines.ts';

/** What kernels may rely on: the features and limits of the device, and the class of its adapter. */
export interface Caps {
  readonly software: boolean;
  readonly f16: boolean;
  readonly subgroups: boolean;
  /** Invocations that every subgroup has at the least; 0 where there are none, or nothing is known. */
  readonly minSubgroupSize: number;
  /** The compiler takes long unrolled kernels in its stride: SwiftShader's does (0.2 s), llvmpipe's takes 10 s and more. */
  readonly longKernels: boolean;
  /** Loops run to their end: the llvmpipe that wgpu takes through OpenGL (Mesa 22, without float16) stops after 65,535 rounds in all. */
  readonly longLoops: boolean;
  /** WGSL has dot4I8Packed; else shifts stand for it. */
  readonly packedDot: boolean;
  readonly maxBindingBytes: number;
  readonly maxBufferBytes: number;
  readonly maxWorkgroupStorageBytes: number;
  readonly maxInvocations: number;
}

/** Bytes are padded to whole vec4, so that a kernel may read and write four elements at a time to the end. */
export const paddedBytes = (bytes: number): number => Math.max(16, Math.ceil(bytes / 16) * 16);

/** A device with what the engine keeps beside it: counters, the pipeline cache, whether it is lost. Knows no op. */
export class Gpu {
  readonly card: AdapterCard;
  readonly caps: Caps;
  readonly counters: Counters = createCounters();
  readonly pipelines: PipelineCache;
  #failure: TilewrightError | undefined;
  #owned: boolean;

  /** `owned` devices are destroyed with this object; the caller's own device is not. */
  constructor(
    readonly device: GPUDevice,
    adapter: GPUAdapter | undefined,
    owned: boolean,
  ) {
    const info = adapter?.info ?? device.adapterInfo;
    this.card = describeAdapter({ info, features: device.features, limits: device.limits });
    const llvmpipe = /llvmpipe/i.test(`${this.card.device} ${this.card.description}`);
    const f16 = device.features.has('shader-f16');
    this.caps = {
      software: this.card.software,
      f16,
      subgroups: device.features.has('subgroups' as GPUFeatureName),
      minSubgroupSize: device.features.has('subgroups' as GPUFeatureName) ? (info.subgroupMinSize ?? 0) : 0,
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
      this.#failure ??= new TilewrightError(
        'device-lost',
        `the GPU device was lost (${info.reason || 'unknown'}): ${info.message}`,
        {
          hint: 'Create a new engine and load the model again: nothing but the GPU copy is gone.',
        },
      );
    });
    device.addEventListener('uncapturederror', (event) => {
      this.#failure ??= new TilewrightError('gpu-validation', (event as GPUUncapturedErrorEvent).error.message);
    });
  }

  /** Throws what went wrong with the device since the last look, if anything did. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** `await`s a promise of the device; where it fails because the device is lost, says so. */
  async guard<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } catch (cause) {
      await Promise.race([this.device.lost, new Promise((resolve) => setTimeout(resolve, 0))]);
      this.check();
      throw cause instanceof TilewrightError
        ? cause
        : new TilewrightError('gpu-validation', (cause as Error).message, { cause });
    }
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

  /** Bytes go to the GPU; a length that is no multiple of 4 is padded with zeros. */
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

  /** Maps a MAP_READ buffer that a copy was encoded into, and takes the bytes out. */
  async readStaging(staging: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    await this.guard(staging.mapAsync(GPUMapMode.READ, 0, Math.ceil(bytes / 4) * 4));
    const copy = staging.getMappedRange(0, Math.ceil(bytes / 4) * 4).slice(0, bytes);
    staging.unmap();
    this.counters.bytesRead += bytes;
    return copy;
  }

  dispose(): void {
    if (this.#owned) this.device.destroy();
  }
}
