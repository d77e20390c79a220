import type { Tokenizer } from '../tokenizer.ts';

const UNFINISHED = '\ufffd';

/**
 * The texts of all tokens, in their order, so that tokens of one beginning are read together. Tokens without text, special ones and those of
 * which a character is only a part are left out.
 */
export class Vocabulary {
  /** Ids, by the order of their texts. */
  readonly #ids: readonly number[];
  readonly #texts: readonly (readonly number[])[];
  /** How many characters each has in common with the one before. */
  readonly #common: readonly number[];
  readonly #byId = new Map<number, readonly number[]>();

  constructor(tokenizer: Pick<Tokenizer, 'decode' | 'specialTokenIds'>, size: number) {
    // A decoder may take a space from the first token of a text: each is read behind another.
    const anchor = anchorOf(tokenizer, size);
    const before = tokenizer.decode([anchor]);
    const special = new Set(tokenizer.specialTokenIds);
    const all: { id: number; text: string }[] = [];
    for (let id = 0; id < size; id++) {
      if (special.has(id)) continue;
      const text = tokenizer.decode([anchor, id]).slice(before.length);
      if (text !== '' && !text.includes(UNFINISHED)) all.push({ id, text });
    }
    all.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : a.id - b.id));
    this.#ids = all.map(({ id }) => id);
    this.#texts = all.map(({ text }) => Array.from(text, (character) => character.codePointAt(0)!));
    this.#common = this.#texts.map((text, i) => {
      const last = this.#texts[i - 1] ?? [];
      const differs = text.findIndex((character, at) => character !== last[at]);
      return differs < 0 ? text.length : differs;
    });
    for (const [i, id] of this.#ids.entries()) this.#byId.set(id, this.#texts[i]!);
  }

  /** The code points of a token; none of one that is left out. */
  charactersOf(token: number): readonly number[] {
    return this.#byId.get(token) ?? [];
  }

  /** The tokens that are read from a state on without an end; `after` reads a character. */
  those<State>(start: State, after: (state: State, character: number) => State | undefined): number[] {
    const found: number[] = [];
    const states: State[] = [start]; // after so many characters of the token
    let dead = Number.POSITIVE_INFINITY; // so many characters are read by no state
    for (const [i, text] of this.#texts.entries()) {
      const common = this.#common[i]!;
      if (common >= dead) continue;
      dead = Number.POSITIVE_INFINITY;
      states.length = Math.min(states.length, common + 1);
      for (let at = states.length - 1; at < text.length; at++) {
        const next = after(states[at]!, text[at]!);
        if (next === undefined) {
          dead = at + 1;
          break;
        }
        states.push(next);
      }
      if (dead === Number.POSITIVE_INFINITY) found.push(this.#ids[i]!);
    }
    return found;
  }
}

/** A token of letters alone. */
function anchorOf(tokenizer: Pick<Tokenizer, 'decode'>, size: number): number {
  for (let id = 0; id < size; id++) if (/^[a-zA-Z]+$/.test(tokenizer.decode([id]))) return id;
  return 0;
}
