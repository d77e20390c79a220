import { TilewrightError } from '../errors.ts';

/** Something on the device that is disposed of once. A second `dispose` does nothing; `using` works. */
export abstract class Resource {
  #disposed = false;
  readonly #listeners = new Set<() => void>();

  /** Its name in messages. */
  protected abstract readonly title: string;

  /** Whether `dispose` was called. */
  get disposed(): boolean {
    return this.#disposed;
  }

  /** Error: `disposed` after `dispose`. */
  readonly alive = (): void => {
    if (this.#disposed) throw new TilewrightError('disposed', `${this.title} was disposed of`);
  };

  /** Frees what this object has on the device. Called once. */
  protected abstract release(): void;

  /** Calls `listener` when this is disposed of. Returns a function that takes the listener away. */
  onDispose(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Frees everything on the device. Work that is under way ends with `disposed`. Twice is fine. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const listener of this.#listeners) listener();
    this.release();
  }

  /** `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
