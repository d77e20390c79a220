import { TilewrightError, throwIfAborted } from '../errors.ts';
import { countBytes } from '../gpu/counters.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { USAGE } from '../gpu/usage.ts';
import { type ConstantOptions, type Graph, type Operand, topological } from '../graph/ir.ts';
import { type Plan, type Step, storageOf } from '../graph/plan.ts';
import { converted } from '../tensor/convert.ts';
import { keyOf } from '../tensor/key.ts';
import type { OnProgress } from '../tensor/progress.ts';
import { byteLength } from '../tensor/types.ts';
import { Resource } from './resource.ts';
import { bind, compile, dispatch, writeUniforms } from './steps.ts';
import { Turns } from './turns.ts';

/** Bytes of a tensor that are on the device at a time, where only something smaller of it stays (slabs.ts). */
const SLAB_BYTES = 16 * 2 ** 20;

/** So many bytes of a constant that was made on the host are compared one by one. */
const KNOWN_BY_CONTENT = 1024;

/** Uploads may run this far ahead of the GPU, so that the browser's staging memory stays bounded. */
const UPLOAD_WINDOW = 8 * 2 ** 20;

export interface PrepareOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/**
 * The weights of a model on the device: uploaded as the file has them, brought into the form that kernels take by
 * kernels, and kept under a name that says how they were made. Graphs that share a store share the weights.
 */
export class ConstantStore extends Resource {
  protected readonly title = 'the weights';
  readonly #buffers = new Map<string, GPUBuffer>();
  readonly #keys = new WeakMap<Operand, string>();
  readonly #sources = new WeakMap<object, string>();
  readonly #ids = new Map<string, string>();
  readonly #turns = new Turns();

  constructor(readonly gpu: Gpu) {
    super();
  }

  /** Bytes of all weights as they lie on the device. */
  get bytes(): number {
    return [...this.#buffers.values()].reduce((sum, { size }) => sum + size, 0);
  }

  buffer(operand: Operand): GPUBuffer {
    const found = this.#buffers.get(this.#key(operand));
    if (!found)
      throw new TilewrightError('disposed', `the constant ${operand.label ?? operand.op} is no longer on the device`);
    return found;
  }

  /** Equal keys, equal bytes: the same source under the same ops. */
  #key(operand: Operand): string {
    const known = this.#keys.get(operand);
    if (known) return known;
    for (const node of topological({ outputs: { operand } })) {
      if (this.#keys.has(node)) continue;
      const { op, dataType, shape, options } = node;
      const inputs = Object.entries(node.inputs).map(([name, input]) => `${name}=${this.#keys.get(input)}`);
      const made = op === 'constant' ? this.#origin(options) : `${op}(${inputs.join()})${keyOf(options)}`;
      this.#keys.set(node, this.#id(`${made}${dataType}[${shape}]`));
    }
    return this.#keys.get(operand)!;
  }

  /** Small numbers made on the host are known by what they are; everything else by the object that holds it. */
  #origin({ source, data }: ConstantOptions): string {
    if (data && data.byteLength <= KNOWN_BY_CONTENT)
      return `=${new Uint8Array(data.buffer, data.byteOffset, data.byteLength)}`;
    const origin = (source ?? data)!;
    const known = this.#sources.get(origin) ?? this.#id(`#${this.#ids.size}`);
    this.#sources.set(origin, known);
    return known;
  }

  /** A short name for a text. */
  #id(text: string): string {
    const id = this.#ids.get(text) ?? `${this.#ids.size}`;
    this.#ids.set(text, id);
    return id;
  }

  /**
   * Uploads and computes what the plan needs and the store has not got, tensor by tensor in the order of the file; what
   * was only on the way is freed at once. On an error or an abort nothing new stays.
   */
  prepare(plan: Plan, options: PrepareOptions = {}): Promise<void> {
    return this.#turns.take(() => this.#prepare(plan, options));
  }

  async #prepare(plan: Plan, { signal, onProgress }: PrepareOptions): Promise<void> {
    const { gpu } = this;
    this.alive();
    const wanted = plan.constants.filter((operand) => !this.#buffers.has(this.#key(operand)));
    if (!wanted.length) return;
    const made = new Map<string, GPUBuffer>(); // new in this call: roots and what is on the way
    const roots = new Set(wanted.map((operand) => this.#key(operand)));
    const stepsOf = new Map<Operand, Step[]>();
    for (const step of plan.prepare) stepsOf.set(step.writes, [...(stepsOf.get(step.writes) ?? []), step]);
    const needed = reachable(wanted, (operand) => this.#buffers.has(this.#key(operand)));
    const steps = needed.flatMap((operand) => stepsOf.get(operand) ?? []);
    const leaves = needed.filter(({ op }) => op === 'constant');
    const readers = new Map<string, number>();
    for (const step of steps)
      for (const read of Object.values(step.reads))
        readers.set(this.#key(read), (readers.get(this.#key(read)) ?? 0) + 1);

    const large = leaves.filter((operand) => byteLength(operand) > SLAB_BYTES);
    const { SlabStream } = large.length ? await import('./slabs.ts') : {};
    const kept = new Set(wanted);
    const streams = new Map(large.map((operand) => [operand, SlabStream!.of(operand, needed, kept, SLAB_BYTES)]));

    const total = leaves.reduce((sum, operand) => sum + byteLength(operand), 0);
    let loaded = 0;
    let ahead = 0;
    const allocate = (operand: Operand): GPUBuffer => {
      const buffer = gpu.createBuffer(byteLength(operand), USAGE.storage, operand.label ?? operand.op);
      made.set(this.#key(operand), buffer);
      return buffer;
    };
    const release = (operand: Operand): void => {
      const key = this.#key(operand);
      const left = (readers.get(key) ?? 0) - 1;
      readers.set(key, left);
      const buffer = made.get(key);
      if (left > 0 || roots.has(key) || !buffer) return;
      gpu.destroyBuffer(buffer);
      made.delete(key);
    };
    let uniforms: GPUBuffer | undefined;
    /** Of all that was asked of the device. */
    const faults: Promise<void>[] = [];
    const scoped = (what: string, work: () => void): Promise<void> => {
      const [, valid] = gpu.scoped(what, work);
      faults.push(valid);
      return valid;
    };
    try {
      await scoped(`weights of ${total} bytes`, () => wanted.forEach(allocate));
      this.alive();
      const programs = compile(gpu, steps);
      programs.catch(() => {}); // reported below
      // Bytes stay on the host until the device has taken them.
      const waiting = async (): Promise<void> => {
        await gpu.guard(gpu.device.queue.onSubmittedWorkDone());
        countBytes(gpu.counters, 'hostBytes', -ahead);
        ahead = 0;
      };
      async function* bytesOf(operand: Operand): AsyncIterable<Uint8Array> {
        for await (const chunk of chunksOf(operand, signal)) {
          throwIfAborted(signal, 'loading');
          ahead += chunk.byteLength;
          countBytes(gpu.counters, 'hostBytes', chunk.byteLength);
          yield chunk;
          loaded += chunk.byteLength;
          onProgress?.({ phase: 'upload', loaded, total, ...(operand.label && { label: operand.label }) });
          if (ahead >= UPLOAD_WINDOW) await waiting();
        }
      }
      const upload = async (operand: Operand): Promise<void> => {
        if (!made.has(this.#key(operand))) scoped('a weight', () => allocate(operand));
        const buffer = made.get(this.#key(operand))!;
        let offset = 0;
        for await (const chunk of bytesOf(operand)) {
          const at = offset;
          scoped('a weight', () => gpu.write(buffer, at, chunk));
          offset += chunk.byteLength;
        }
      };
      const compiled = await programs;
      const arena = writeUniforms(gpu, steps, compiled, 'prepare');
      uniforms = arena.buffer;
      const bufferOf = (operand: Operand): GPUBuffer => made.get(this.#key(operand)) ?? this.buffer(operand);
      const streamed = new Set<Operand>();
      let index = 0;
      for (const operand of needed) {
        throwIfAborted(signal, 'loading');
        const pieces = stepsOf.get(operand) ?? [];
        if (streamed.has(operand)) {
          index += pieces.length;
          continue;
        }
        if (operand.op === 'constant') {
          const stream = streams.get(operand);
          if (stream) {
            const labelOf = (node: Operand): string | undefined => stepsOf.get(node)?.[0]?.candidate.label;
            await stream.run(gpu, bytesOf(operand), (root) => made.get(this.#key(root)), labelOf);
            for (const node of stream.nodes) streamed.add(node);
          } else await upload(operand);
          continue;
        }
        scoped('a weight', () => {
          if (!made.has(this.#key(operand))) allocate(operand);
          const encoder = gpu.device.createCommandEncoder();
          const pass = encoder.beginComputePass();
          for (const step of pieces) {
            dispatch(gpu, pass, bind(gpu, step, compiled[index]!, arena, index, bufferOf));
            index++;
          }
          pass.end();
          gpu.counters.passes++;
          gpu.submit(encoder);
        });
        for (const step of pieces) for (const read of Object.values(step.reads)) release(read);
      }
      await waiting();
      await Promise.all(faults);
      gpu.check();
      this.alive();
      for (const [key, buffer] of made) this.#buffers.set(key, buffer);
    } catch (error) {
      for (const buffer of made.values()) gpu.destroyBuffer(buffer);
      throw error;
    } finally {
      countBytes(gpu.counters, 'hostBytes', -ahead);
      if (uniforms) gpu.destroyBuffer(uniforms);
    }
  }

  protected release(): void {
    for (const buffer of this.#buffers.values()) this.gpu.destroyBuffer(buffer);
    this.#buffers.clear();
  }
}

const graphOf = (roots: readonly Operand[]): Graph => ({
  outputs: Object.fromEntries(roots.map((root, i) => [i, root])),
});

/** Storage that the roots are made of, inputs first, one root after the other in the order of the file. */
function reachable(roots: readonly Operand[], stop: (operand: Operand) => boolean): Operand[] {
  /** Where in the file the last of the leaves lies. */
  const orderOf = new Map<Operand, number>();
  for (const node of topological(graphOf(roots))) {
    const { source } = node.options as ConstantOptions;
    orderOf.set(node, Math.max(source?.order ?? 0, ...Object.values(node.inputs).map((input) => orderOf.get(input)!)));
  }
  const order = topological(graphOf([...roots].sort((a, b) => orderOf.get(a)! - orderOf.get(b)!)));
  const needed = new Set(roots);
  for (const node of [...order].reverse())
    if (needed.has(node) && !stop(node)) for (const input of Object.values(node.inputs)) needed.add(input);
  return order.filter((node) => needed.has(node) && storageOf(node) === node && !stop(node));
}

async function* chunksOf(operand: Operand, signal: AbortSignal | undefined): AsyncIterable<Uint8Array> {
  const { source, data } = operand.options as ConstantOptions;
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
