/** A tensor that step `from` writes and step `to` is the last to read. */
export interface Lifetime {
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
}

export interface MemoryPlan {
  /** Slot of each lifetime. */
  readonly slots: readonly number[];
  /** Bytes of each slot. */
  readonly sizes: readonly number[];
}

/**
 * Shares slots among lifetimes that do not touch: the largest first, each in the first slot that is free for it
 * (Pisarchyk & Lee 2020, greedy by size). The inputs and outputs of a step touch at that step, so they never share a slot:
 * WebGPU forbids one buffer as `read` and `read_write` in one dispatch.
 */
export function planMemory(lifetimes: readonly Lifetime[]): MemoryPlan {
  const slots = new Array<number>(lifetimes.length).fill(-1);
  const tenants: Lifetime[][] = [];
  const sizes: number[] = [];
  const order = lifetimes.map((_, i) => i).sort((a, b) => lifetimes[b]!.bytes - lifetimes[a]!.bytes || a - b);
  for (const i of order) {
    const life = lifetimes[i]!;
    let slot = tenants.findIndex((others) => others.every((other) => other.to < life.from || life.to < other.from));
    if (slot < 0) {
      slot = tenants.push([]) - 1;
      sizes.push(life.bytes);
    }
    tenants[slot]!.push(life);
    slots[i] = slot;
  }
  return { slots, sizes };
}
