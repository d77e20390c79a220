/** Something that lives on the device until it is disposed of: twice is fine, `using` works, and whoever keeps a list may listen. */
export abstract class Resource {
  #disposed = false;
  readonly #listeners: (() => void)[] = [];

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Frees what this object has on the device. Called once. */
  protected abstract release(): void;

  onDispose(listener: () => void): void {
    this.#listeners.push(listener);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.release();
    for (const listener of this.#listeners) listener();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
