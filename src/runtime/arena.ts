import type { Gpu } from '../gpu/gpu.ts';
import { USAGE } from '../gpu/usage.ts';
import { Resource } from './resource.ts';

/**
 * The buffers of intermediates. Slot `i` of every session is buffer `i`, as large as the largest session needs. The
 * device does one run after the other, and no run reads what another left in a slot. A dispatch never reads and writes
 * the same slot.
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

  /** Changes when a buffer is replaced: bind groups of an older version are made again. */
  get version(): number {
    return this.#version;
  }

  slot(index: number): GPUBuffer {
    return this.#slots[index]!;
  }

  /** Bytes that `reserve` would add. */
  growth(slotBytes: readonly number[]): number {
    return slotBytes.reduce((sum, bytes, i) => sum + Math.max(0, bytes - (this.#slots[i]?.size ?? 0)), 0);
  }

  /** Makes every slot at least this large. Work that is submitted keeps its old buffers. */
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

  /** Frees all buffers. A session reserves them again when it binds. */
  clear(): void {
    for (const buffer of this.#slots.splice(0)) this.gpu.destroyBuffer(buffer);
    this.#version++;
  }

  protected release(): void {
    this.clear();
  }
}
