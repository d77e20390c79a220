import type { Tokenizer } from './tokenizer.ts';

/** What a decoder shows for bytes that are not, or not yet, a character. */
const UNFINISHED = '\ufffd';
const UNFINISHED_END = /\ufffd+$/;

/** A character takes at most four bytes, hence so many tokens; twice that leaves room to find where it starts. */
const PATIENCE = 8;

/**
 * Turns token ids into text one at a time. A token of a byte-level vocabulary may end amid a UTF-8 character: what
 * is not finished is held back until it is, so the pieces joined are exactly `decode` of all ids.
 *
 * Each push decodes only the ids since the last whole character and those of the piece before (a decoder may treat
 * a first token differently): a dozen or so, however long the text. Only a run of tokens that all end amid a
 * character makes it more.
 */
export class TextStream {
  readonly #tokenizer: Pick<Tokenizer, 'decode'>;
  /** Ids whose text is out in full. */
  #context: number[] = [];
  /** Ids after them. */
  #pending: number[] = [];
  /** How much of the pending ids' text is out. */
  #said = 0;

  constructor(tokenizer: Pick<Tokenizer, 'decode'>) {
    this.#tokenizer = tokenizer;
  }

  /** The text that this id finishes: '' while a character is unfinished. */
  push(id: number): string {
    this.#pending.push(id);
    const text = this.#textOf(this.#pending);
    if (!text.endsWith(UNFINISHED)) return this.#settle(text, this.#pending.length);
    if (this.#pending.length > PATIENCE) {
      const whole = this.#settled(text);
      if (whole) return this.#settle(this.#textOf(this.#pending.slice(0, whole)), whole);
    }
    return this.#say(text.replace(UNFINISHED_END, ''));
  }

  /** What is still held back; the stream then starts anew. */
  flush(): string {
    const rest = this.#say(this.#textOf(this.#pending));
    this.#context = [];
    this.#pending = [];
    this.#said = 0;
    return rest;
  }

  #textOf(ids: readonly number[]): string {
    const before = this.#tokenizer.decode(this.#context);
    return this.#tokenizer.decode([...this.#context, ...ids]).slice(before.length);
  }

  /** Lets out the text up to the end of `text`, as far as it is not out yet. */
  #say(text: string): string {
    const piece = text.slice(this.#said);
    this.#said = Math.max(this.#said, text.length);
    return piece;
  }

  /** Lets out `text`, which is all that the first `count` pending ids say, and makes them the context. */
  #settle(text: string, count: number): string {
    const piece = this.#say(text);
    const ids = this.#pending.splice(0, count);
    if (text !== '' || this.#context.length === 0) this.#context = ids; // else the older context says more
    this.#said -= text.length;
    return piece;
  }

  /**
   * How many of the pending ids form no character with those after them, although bytes that are no UTF-8 left them
   * looking unfinished: the longest run whose text and the rest's, decoded apart, make the whole. 0 when there is none.
   */
  #settled(text: string): number {
    for (let count = this.#pending.length - 1; count > 0; count--) {
      const rest = this.#tokenizer.decode(this.#pending.slice(count));
      if (rest !== '' && this.#textOf(this.#pending.slice(0, count)) + rest === text) return count;
    }
    return 0;
  }
}
