import { TilewrightError } from '../errors.ts';

/** Something that lives on the device until it is disposed of: twice is fine, `using` works, and whoever keeps a list may listen. */
export abstract class Resource {
  #disposed = false;
  readonly #listeners = new Set<() => void>();

  /** What it is, for people. */
  protected abstract readonly title: string;

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Throws `disposed` when it was. */
  readonly alive = (): void => {
    if (this.#disposed) throw new TilewrightError('disposed', `${this.title} was disposed of`);
  };

  /** Frees what this object has on the device. Called once. */
  protected abstract release(): void;

  /** Calls back when this is disposed of, unless the function that comes back was called before. */
  onDispose(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const listener of this.#listeners) listener();
    this.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
