import { throwIfAborted } from '../errors.ts';
import { countBytes } from '../gpu/counters.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { ConstantOptions, Operand } from '../graph/ir.ts';
import { converted } from '../tensor/convert.ts';
import type { OnProgress } from '../tensor/progress.ts';

/** Uploads may run this far ahead of the GPU, so that the browser's staging memory stays bounded. */
const UPLOAD_WINDOW = 8 * 2 ** 20;

export interface UploadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** Brings bytes of tensors from where they are kept, and counts those that the device has not taken yet: until then they are on the host. */
export class Uploader {
  #loaded = 0;
  #ahead = 0;

  constructor(
    private readonly gpu: Gpu,
    /** Bytes that will go up in all. */
    private readonly total: number,
    private readonly options: UploadOptions,
  ) {}

  /** The bytes of a constant in whole words. Whoever takes them writes each chunk to the device before the next. */
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

  /** Nothing more is on its way. */
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
  else yield* inWords(converted(source!, signal));
}

/** WebGPU writes whole words: what a chunk has beyond its last whole word goes with the next. */
async function* inWords(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let rest = new Uint8Array(0);
  for await (const chunk of chunks) {
    let bytes: Uint8Array = chunk;
    if (rest.length) {
      bytes = new Uint8Array(rest.length + chunk.length);
      bytes.set(rest);
      bytes.set(chunk, rest.length);
    }
    const whole = bytes.length & ~3;
    if (whole) yield bytes.subarray(0, whole);
    rest = bytes.slice(whole);
  }
  if (rest.length) yield rest;
}
