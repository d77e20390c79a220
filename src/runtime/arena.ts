import type { Gpu } from '../gpu/gpu.ts';
import { USAGE } from '../gpu/usage.ts';
import { Resource } from './resource.ts';

/**
 * What sessions compute in. Slot `i` of every session lies in buffer `i`, which is as large as the largest of them needs: the device takes
 * runs in their order, so one finds nothing of another that it needs. A dispatch never reads and writes the same slot.
 */
export class Arena extends Resource {
  protected readonly title = 'the memory';
  readonly #slots: GPUBuffer[] = [];
  #version = 0;

  constructor(readonly gpu: Gpu) {
    super();
  }

  get bytes(): number {
    return this.#slots.reduce((sum, { size }) => sum + size, 0);
  }

  /** Another number, other buffers: whatever was bound to them has to be bound again. */
  get version(): number {
    return this.#version;
  }

  slot(index: number): GPUBuffer {
    return this.#slots[index]!;
  }

  /** By how much it would grow for slots of these sizes. */
  growth(slotBytes: readonly number[]): number {
    return slotBytes.reduce((sum, bytes, i) => sum + Math.max(0, bytes - (this.#slots[i]?.size ?? 0)), 0);
  }

  /** Grows where slots of these sizes need it. What is on its way to the device keeps the buffers it was given. */
  reserve(slotBytes: readonly number[]): void {
    this.alive();
    for (const [i, bytes] of slotBytes.entries()) {
      const old = this.#slots[i];
      if (old && old.size >= bytes) continue;
      if (old) this.gpu.destroyBuffer(old);
      this.#slots[i] = this.gpu.createBuffer(bytes, USAGE.storage, `memory ${i}`);
      this.#version++;
    }
  }

  /** Frees everything. Sessions take what they need again. */
  clear(): void {
    for (const buffer of this.#slots.splice(0)) this.gpu.destroyBuffer(buffer);
    this.#version++;
  }

  protected release(): void {
    this.clear();
  }
}
