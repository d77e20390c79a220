import { TilewrightError, throwIfAborted } from '../errors.ts';
import { countBytes } from '../gpu/counters.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { type ConstantOptions, nodeOf, type Operand } from '../graph/ir.ts';
import { type Plan, type Step, storageOf } from '../graph/plan.ts';
import { opNamed } from '../ops/index.ts';
import { converted } from '../tensor/convert.ts';
import type { OnProgress } from '../tensor/progress.ts';
import { byteLength } from '../tensor/types.ts';
import { bind, compile, dispatch, storageUsage, writeUniforms } from './steps.ts';

/** Bytes of a tensor that are on the device at a time, where only something smaller of it stays (slabs.ts). */
const SLAB_BYTES = 16 * 2 ** 20;

/** Uploads may run this far ahead of the GPU, so that the browser's staging memory stays bounded. */
const UPLOAD_WINDOW = 8 * 2 ** 20;

/**
 * The weights of a model on the device: uploaded as the file has them, brought into the form that kernels take by
 * kernels, and kept under a name that says how they were made. Graphs that share a store share the weights.
 */
export class ConstantStore {
  readonly #buffers = new Map<string, GPUBuffer>();
  readonly #keys = new WeakMap<Operand, string>();
  readonly #sourceIds = new Map<object, number>();
  #scratch = 0;
  #disposed = false;

  constructor(readonly gpu: Gpu) {}

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
    let key = this.#keys.get(operand);
    if (key === undefined) {
      if (operand.op === 'scratch') key = `scratch ${this.#scratch++}`;
      else if (operand.op === 'constant') {
        const { source, data } = operand.options as ConstantOptions;
        const origin = (source ?? data)!;
        if (!this.#sourceIds.has(origin)) this.#sourceIds.set(origin, this.#sourceIds.size);
        key = `#${this.#sourceIds.get(origin)}`;
      } else {
        const inputs = Object.entries(operand.inputs).map(([name, input]) => `${name}=${this.#key(input)}`);
        const { op, options, dataType, shape, results } = operand;
        key = `${op}(${inputs.join()})${JSON.stringify(options)}${dataType}[${shape}]${results.indexOf(operand) || ''}`;
      }
      this.#keys.set(operand, key);
    }
    return key;
  }

  /**
   * Uploads and computes what the plan needs and the store has not got, tensor by tensor in the order of the file; what
   * was only on the way is freed at once. On an error or an abort nothing new stays.
   */
  async prepare(
    plan: Plan,
    { signal, onProgress }: { signal?: AbortSignal | undefined; onProgress?: OnProgress | undefined } = {},
  ): Promise<void> {
    const { gpu } = this;
    const wanted = plan.constants.filter((operand) => !this.#buffers.has(this.#key(operand)));
    if (!wanted.length) return;
    const made = new Map<string, GPUBuffer>(); // new in this call: roots and what is on the way
    const roots = new Set(wanted.map((operand) => this.#key(operand)));
    const stepsOf = new Map<Operand, Step[]>();
    for (const step of plan.prepare) stepsOf.set(step.node, [...(stepsOf.get(step.node) ?? []), step]);
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
      const buffer = gpu.createBuffer(byteLength(operand), storageUsage(), operand.label ?? operand.op);
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
    gpu.device.pushErrorScope('out-of-memory');
    let scope: Promise<GPUError | null> | undefined;
    try {
      for (const operand of wanted) allocate(operand);
      scope = gpu.device.popErrorScope();
      await failOnMemory(scope, total);
      const programs = compile(gpu, steps);
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
        const buffer = made.get(this.#key(operand)) ?? allocate(operand);
        let offset = 0;
        for await (const chunk of bytesOf(operand)) {
          gpu.write(buffer, offset, chunk);
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
        const results = operand.results.filter((result) => !this.#buffers.has(this.#key(result)));
        const scratch = Object.values(pieces[0]?.writes ?? {}).filter(({ op }) => op === 'scratch');
        for (const result of [...results, ...scratch]) if (!made.has(this.#key(result))) allocate(result);
        const encoder = gpu.device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        for (const step of pieces) {
          dispatch(gpu, pass, bind(gpu, step, compiled[index]!, arena, index, bufferOf));
          index++;
        }
        pass.end();
        gpu.counters.passes++;
        gpu.submit(encoder);
        for (const step of pieces) for (const read of Object.values(step.reads)) release(read);
        for (const unread of [...results, ...scratch]) if (!readers.get(this.#key(unread))) release(unread);
      }
      await waiting();
      const scales = steps.filter(({ node }) => opNamed(node.op).finite && made.has(this.#key(node)));
      if (scales.length) await (await import('./check.ts')).checkDone(gpu, scales, bufferOf);
      gpu.check();
      if (this.#disposed) throw new TilewrightError('disposed', 'the model was disposed of while it was loading');
      for (const [key, buffer] of made) this.#buffers.set(key, buffer);
    } catch (error) {
      if (!scope) await gpu.device.popErrorScope().catch(() => null);
      for (const buffer of made.values()) gpu.destroyBuffer(buffer);
      throw error;
    } finally {
      countBytes(gpu.counters, 'hostBytes', -ahead);
      if (uniforms) gpu.destroyBuffer(uniforms);
    }
  }

  dispose(): void {
    this.#disposed = true;
    for (const buffer of this.#buffers.values()) this.gpu.destroyBuffer(buffer);
    this.#buffers.clear();
  }
}

async function failOnMemory(scope: Promise<GPUError | null>, bytes: number): Promise<void> {
  const error = await scope;
  if (error)
    throw new TilewrightError('out-of-memory', `the GPU has no room for weights of ${bytes} bytes: ${error.message}`, {
      hint: "Load with dtype: 'int8', or close other tabs.",
    });
}

/** Nodes that the roots are made of, inputs first, one root after the other in the order of the file. */
function reachable(roots: readonly Operand[], stop: (operand: Operand) => boolean): Operand[] {
  const orderOf = new Map<Operand, number>();
  const firstLeaf = (operand: Operand): number => {
    let order = orderOf.get(operand);
    if (order === undefined) {
      const { source } = operand.options as ConstantOptions;
      order =
        operand.op === 'constant' ? (source?.order ?? 0) : Math.max(...Object.values(operand.inputs).map(firstLeaf));
      orderOf.set(operand, order);
    }
    return order;
  };
  const seen = new Set<Operand>();
  const list: Operand[] = [];
  const visit = (operand: Operand): void => {
    const storage = storageOf(operand);
    const node = nodeOf(storage);
    if (seen.has(node) || stop(storage)) return;
    seen.add(node);
    Object.values(node.inputs).forEach(visit);
    list.push(node);
  };
  [...roots].sort((a, b) => firstLeaf(a) - firstLeaf(b)).forEach(visit);
  return list;
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
