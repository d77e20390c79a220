/** Ends a text that comes in pieces before the string that is whole first. What may be the start of one is held back. */
export class StopStrings {
  #held = '';

  /** None of them is empty. */
  constructor(private readonly strings: readonly string[]) {}

  /** What can go out, and whether the text ends there: a string was found. */
  push(piece: string): { readonly text: string; readonly stopped: boolean } {
    const all = this.#held + piece;
    const [first] = this.strings
      .map((string) => ({ start: all.indexOf(string), length: string.length }))
      .filter(({ start }) => start >= 0)
      .sort((a, b) => a.start + a.length - b.start - b.length || a.start - b.start);
    if (first) {
      this.#held = '';
      return { text: all.slice(0, first.start), stopped: true };
    }
    const most = Math.max(0, ...this.strings.map((string) => string.length - 1));
    let keep = Math.min(most, all.length);
    while (keep && !this.strings.some((string) => string.startsWith(all.slice(all.length - keep)))) keep--;
    this.#held = all.slice(all.length - keep);
    return { text: all.slice(0, all.length - keep), stopped: false };
  }

  /** The last piece of a text: nothing is held back any more. */
  end(piece: string): string {
    const { text, stopped } = this.push(piece);
    return stopped ? text : text + this.#held;
  }
}
