/** Does work one after the other, in the order of the calls. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  /** Work that is not done. */
  open = 0;

  take<T>(work: () => T | Promise<T>): Promise<T> {
    this.open++;
    const turn = this.#last.then(() => work()).finally(() => this.open--);
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Does work at once where there is no other, else in turn. */
  next<T>(work: () => T): T | Promise<T> {
    return this.open ? this.take(work) : work();
  }
}
