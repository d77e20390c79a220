import type { Gpu } from '../gpu/gpu.ts';
import { Arena } from './arena.ts';
import { ConstantStore } from './constants.ts';
import { Resource } from './resource.ts';
import { States } from './states.ts';
import { Turns } from './turns.ts';

/** What sessions have together on the device: weights, states, and the memory that they compute in. They end with it. */
export class Stores extends Resource {
  protected readonly title = 'what the sessions share';
  readonly states: States;
  readonly arena: Arena;
  /** Those that use it. */
  readonly sessions = new Set<{ readonly bytes: number; dispose(): void }>();
  /** Sessions are built one after the other: what one measures, another does not move. */
  readonly turns = new Turns();
  readonly #leave: () => void;

  /** `constants` may be those of others: they stay when this goes, and this goes when they go. */
  constructor(
    gpu: Gpu,
    readonly constants: ConstantStore = new ConstantStore(gpu),
    private readonly shared = false,
  ) {
    super();
    this.states = new States(gpu);
    this.arena = new Arena(gpu);
    this.#leave = constants.onDispose(() => this.dispose());
  }

  /** Bytes on the device, the sessions' own among them. */
  get bytes(): number {
    return this.constants.bytes + this.states.bytes + this.sessionBytes;
  }

  /** Bytes that sessions run in: the memory they share, and the buffers of each. */
  get sessionBytes(): number {
    return [...this.sessions].reduce((sum, { bytes }) => sum + bytes, this.arena.bytes);
  }

  protected release(): void {
    this.#leave();
    for (const session of [...this.sessions]) session.dispose();
    if (!this.shared) this.constants.dispose();
    this.states.dispose();
    this.arena.dispose();
  }
}
