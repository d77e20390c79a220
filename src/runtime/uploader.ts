import { throwIfAborted } from '../errors.ts';
import { countBytes } from '../gpu/counters.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { ConstantOptions, Operand } from '../graph/ir.ts';
import { converted, inMultiples } from '../tensor/convert.ts';
import type { OnProgress } from '../tensor/progress.ts';

/** Bytes that uploads run ahead of the GPU at the most: the browser holds a copy of them. */
const UPLOAD_WINDOW = 8 * 2 ** 20;

export interface UploadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** Reads the bytes of tensors, and counts as host bytes those that the device has not taken yet. */
export class Uploader {
  #loaded = 0;
  #ahead = 0;

  constructor(
    private readonly gpu: Gpu,
    /** Bytes of all uploads. */
    private readonly total: number,
    private readonly options: UploadOptions,
  ) {}

  /** The bytes of a constant, in chunks of whole words. The caller writes a chunk to the device before it takes the next. */
  async *bytesOf({ label, options }: Operand): AsyncIterable<Uint8Array> {
    const { signal, onProgress } = this.options;
    for await (const chunk of chunksOf(options, signal)) {
      throwIfAborted(signal, 'loading');
      this.#count(chunk.byteLength);
      yield chunk;
      this.#loaded += chunk.byteLength;
      onProgress?.({ phase: 'upload', loaded: this.#loaded, total: this.total, ...(label && { label }) });
      if (this.#ahead >= UPLOAD_WINDOW) await this.settle();
    }
  }

  /** Waits until the device has taken everything. */
  async settle(): Promise<void> {
    await this.gpu.guard(this.gpu.device.queue.onSubmittedWorkDone());
    this.end();
  }

  /** The device has taken everything. */
  end(): void {
    this.#count(-this.#ahead);
  }

  #count(bytes: number): void {
    this.#ahead += bytes;
    countBytes(this.gpu.counters, 'hostBytes', bytes);
  }
}

async function* chunksOf(
  { source, data }: ConstantOptions,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  if (data) yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  // WebGPU writes whole words.
  else yield* inMultiples(converted(source!, signal), 4);
}
