import { TilewrightError } from '../../errors.ts';
import { Automaton, type State } from './automaton.ts';
import { regexPattern } from './regex.ts';
import { schemaPattern } from './schema.ts';
import type { Vocabulary } from './vocabulary.ts';

export { Vocabulary } from './vocabulary.ts';

/** What a text has to be: JSON that is valid by this JSON Schema, or what this expression matches from end to end. */
export type TextConstraint = RegExp | Readonly<Record<string, unknown>>;

/** Sets of tokens that are kept: a text comes to the same states again. */
const MOST_SETS = 64;

/** Follows a text that is to keep to a constraint: which tokens may come next, and whether it may end. */
export class Constraint {
  readonly #automaton: Automaton;
  readonly #vocabulary: Vocabulary;
  readonly #sets = new Map<State, readonly number[]>();
  readonly #ends: ReadonlySet<number>;
  #state: State;

  /** `ends`: tokens that end a text, and are none of it. Error: `invalid-argument` where the constraint has what is not done here, or no text keeps to it. */
  constructor(given: TextConstraint, vocabulary: Vocabulary, ends: ReadonlySet<number> = new Set()) {
    const expression = Object.prototype.toString.call(given) === '[object RegExp]' ? (given as RegExp) : undefined;
    this.#automaton = new Automaton(
      expression ? regexPattern(expression.source, expression.flags, 'whole') : schemaPattern(given),
    );
    this.#vocabulary = vocabulary;
    this.#ends = ends;
    this.#state = this.#automaton.start;
    this.#needsSome();
  }

  /** Whether the text may end here. */
  get mayEnd(): boolean {
    return this.#state.accepts;
  }

  /** Whether nothing can come any more. */
  get ended(): boolean {
    return this.#state.accepts && !this.tokens.length;
  }

  /** The tokens that may come next. Those of which a character is only a part are none. */
  get tokens(): readonly number[] {
    const known = this.#sets.get(this.#state);
    if (known) return known;
    const found = this.#vocabulary.those<State>(this.#state, (state, character) =>
      this.#automaton.after(state, character),
    );
    if (this.#sets.size >= MOST_SETS) this.#sets.delete(this.#sets.keys().next().value!);
    this.#sets.set(this.#state, found);
    return found;
  }

  /** The same, and those that end the text where it may end. */
  get allowed(): readonly number[] {
    return this.mayEnd ? [...this.tokens, ...this.#ends] : this.tokens;
  }

  /** The text goes on with this token, or ends. Errors: `invalid-argument` for one that may not come, or after which none may. */
  push(token: number): void {
    if (this.#ends.has(token) && this.mayEnd) return;
    let state: State | undefined = this.#state;
    for (const character of this.#vocabulary.charactersOf(token))
      state = state && this.#automaton.after(state, character);
    if (!state) throw new TilewrightError('invalid-argument', `constraint: the token ${token} may not come here`);
    this.#state = state;
    this.#needsSome();
  }

  #needsSome(): void {
    if (this.#state.accepts || this.tokens.length) return;
    throw new TilewrightError('invalid-argument', 'constraint: no token of the vocabulary can come next', {
      hint: 'Loosen the constraint where the text has come to.',
    });
  }
}
