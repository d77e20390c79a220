import { TilewrightError, throwIfAborted } from '../errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { Turns } from '../gpu/turns.ts';
import { USAGE } from '../gpu/usage.ts';
import { isConstant, type Operand } from '../graph/ir.ts';
import type { Plan } from '../graph/plan.ts';
import { opNamed } from '../ops/index.ts';
import { byteLength } from '../tensor/types.ts';
import { ConstantKeys } from './keys.ts';
import { type Requirements, requirements } from './requirements.ts';
import { Resource } from './resource.ts';
import { bind, compile, submitPass, writeUniforms } from './steps.ts';
import { Uploader, type UploadOptions } from './uploader.ts';

/** Upload chunk for a tensor that is quantised while it comes in (slabs.ts). */
const SLAB_BYTES = 16 * 2 ** 20;

export interface PrepareOptions extends UploadOptions {
  /** Called when kernels that compute constants are being compiled: what is compiled from now on queues behind them. */
  onCompiling?: (() => void) | undefined;
}

/**
 * The weights of a model on the device. They are uploaded as the file has them, and kernels bring them into the form
 * that the plan reads. A buffer's key says what it was made from and by which ops, so graphs on the same store share
 * equal weights.
 */
export class ConstantStore extends Resource {
  protected readonly title = 'the weights';
  readonly #buffers = new Map<string, GPUBuffer>();
  readonly #keys = new ConstantKeys();
  readonly #turns = new Turns();

  constructor(readonly gpu: Gpu) {
    super();
  }

  /** Bytes of all weights as they lie on the device. */
  get bytes(): number {
    return [...this.#buffers.values()].reduce((sum, { size }) => sum + size, 0);
  }

  buffer(operand: Operand): GPUBuffer {
    const found = this.#buffers.get(this.#keys.of(operand));
    if (!found)
      throw new TilewrightError('disposed', `the constant ${operand.label ?? operand.op} is no longer on the device`);
    return found;
  }

  /** The tasks that bring the constants of a plan here. */
  async requirements(plan: Plan): Promise<Requirements> {
    const keyOf = (operand: Operand): string => this.#keys.of(operand);
    const has = (operand: Operand): boolean => this.#buffers.has(keyOf(operand));
    const isLarge = (operand: Operand): boolean => isConstant(operand) && byteLength(operand) > SLAB_BYTES;
    const large = plan.prepare.some(({ node }) => Object.values(node.inputs).some(isLarge));
    const { SlabStream } = large ? await import('./slabs.ts') : {};
    return requirements(plan, keyOf, has, (leaf, nodes, roots) =>
      isLarge(leaf) ? SlabStream?.of(leaf, nodes, roots, SLAB_BYTES) : undefined,
    );
  }

  /**
   * Uploads and computes the constants of the plan that are not here yet, tensor by tensor in the order of the file.
   * What was needed on the way only is freed at once. On an error or an abort nothing new stays.
   */
  prepare(plan: Plan, options: PrepareOptions = {}): Promise<void> {
    return this.#turns.take(async () => {
      this.alive();
      const needs = await this.requirements(plan);
      if (needs.roots.length) await this.#fulfil(needs, options);
    });
  }

  async #fulfil({ roots, tasks, uploaded }: Requirements, options: PrepareOptions): Promise<void> {
    const { gpu } = this;
    const { signal } = options;
    const steps = tasks.flatMap((task) => task.steps);
    const uploader = new Uploader(gpu, uploaded, options);
    const made = new Map<string, GPUBuffer>(); // buffers of this call: roots, and tensors on the way to them
    const madeOf = (operand: Operand): GPUBuffer | undefined => made.get(this.#keys.of(operand));
    const bufferOf = (operand: Operand): GPUBuffer => madeOf(operand) ?? this.buffer(operand);
    const take = (operand: Operand): void => {
      const buffer = gpu.createBuffer(byteLength(operand), USAGE.storage, operand.label ?? operand.op);
      made.set(this.#keys.of(operand), buffer);
    };
    const free = (operand: Operand): void => {
      gpu.destroyBuffer(madeOf(operand)!);
      made.delete(this.#keys.of(operand));
    };
    const faults: Promise<void>[] = [];
    const scoped = (work: () => void): void => void faults.push(gpu.scoped('the weights', work)[1]);
    let uniforms: GPUBuffer | undefined;
    try {
      await gpu.scoped(`weights of ${uploaded} bytes`, () => roots.forEach(take))[1];
      const compiling = compile(gpu, steps);
      options.onCompiling?.();
      const programs = await gpu.guard(compiling, () => throwIfAborted(signal, 'loading'), signal);
      this.alive();
      const arena = writeUniforms(gpu, steps, programs, 'prepare');
      uniforms = arena.buffer;
      let done = 0;
      for (const { node, stream, ...task } of tasks) {
        throwIfAborted(signal, 'loading');
        scoped(() => task.takes.forEach(take));
        if (stream) {
          const label = (made: Operand) => task.steps.find((step) => step.node === made)?.candidate.label;
          await stream.run(gpu, uploader.bytesOf(node), madeOf, label, scoped);
        } else if (isConstant(node)) {
          let offset = 0;
          for await (const chunk of uploader.bytesOf(node)) {
            scoped(() => gpu.write(madeOf(node)!, offset, chunk));
            offset += chunk.byteLength;
          }
        } else {
          scoped(() =>
            submitPass(
              gpu,
              task.steps.map((step, i) => bind(gpu, step, programs[done + i]!, arena, done + i, bufferOf)),
            ),
          );
        }
        done += task.steps.length;
        task.frees.forEach(free);
      }
      await uploader.settle();
      await Promise.all(faults);
      const scales = steps.filter(({ node }) => opNamed(node.op).finite && madeOf(node));
      if (scales.length) await (await import('./check.ts')).checkDone(gpu, scales, bufferOf);
      gpu.check();
      this.alive();
      for (const [key, buffer] of made) this.#buffers.set(key, buffer);
    } catch (error) {
      for (const buffer of made.values()) gpu.destroyBuffer(buffer);
      throw error;
    } finally {
      uploader.end();
      if (uniforms) gpu.destroyBuffer(uniforms);
    }
  }

  protected release(): void {
    for (const buffer of this.#buffers.values()) this.gpu.destroyBuffer(buffer);
    this.#buffers.clear();
  }
}
