import type { Gpu } from '../gpu/gpu.ts';
import { Turns } from '../gpu/turns.ts';
import { Arena } from './arena.ts';
import { ConstantStore } from './constants.ts';
import { Resource } from './resource.ts';
import { States } from './states.ts';

/** What sessions share on the device: weights, states, the arena. Disposing of it disposes of them. */
export class Stores extends Resource {
  protected readonly title = 'what the sessions share';
  readonly states: States;
  readonly arena: Arena;
  /** The sessions on it. */
  readonly sessions = new Set<{ readonly bytes: number; dispose(): void }>();
  /** Sessions are built one after the other: no build moves the buffers that another measures on. */
  readonly turns = new Turns();
  readonly #leave: () => void;

  /** `shared`: the constants belong to another. They stay when this is disposed of; when they are, this is too. */
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

  /** Bytes on the device, those of the sessions included. */
  get bytes(): number {
    return this.constants.bytes + this.states.bytes + this.sessionBytes;
  }

  /** Bytes of the arena and of the buffers of each session. */
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
