import { integer, list, number, type Rule, type Rules, refuse } from '../options.ts';

/** How a text's own tokens change what is likely next. */
export interface AdjustmentOptions {
  /**
   * Divides the logits above 0, and multiplies the others, of tokens that are in the prompt or the text so far. Above 1 they become less
   * likely. Default 1.
   */
  repetitionPenalty?: number;
  /** Is subtracted from the logits of tokens that the text has so far, the prompt left out. Default 0. */
  presencePenalty?: number;
  /** The same, times how often the text has the token. */
  frequencyPenalty?: number;
  /** No so many tokens in a row come twice, in the prompt and the text together; 0, the default, sets no bound. */
  noRepeatNgramSize?: number;
  /**
   * What is added to the logit of a sequence's last token where the tokens before it end the text: `[[[50], -5], [[17, 4], 2]]`. -Infinity
   * is never written.
   */
  sequenceBias?: readonly SequenceBias[];
}

/** Token ids, and what is added to the logit of the last of them. */
export type SequenceBias = readonly [ids: readonly number[], bias: number];

const [IDS, BIAS] = [list(integer(0)), number(Number.NEGATIVE_INFINITY, Number.MAX_VALUE)];
const FINITE = number(-Number.MAX_VALUE, Number.MAX_VALUE);

export const SEQUENCE_BIAS: Rule = [
  'a list of [ids, bias]',
  (value) =>
    Array.isArray(value) &&
    value.every(
      (pair) => Array.isArray(pair) && pair.length === 2 && IDS[1](pair[0]) && pair[0].length && BIAS[1](pair[1]),
    ),
];

export const ADJUSTMENT_RULES: Rules<AdjustmentOptions> = {
  repetitionPenalty: ['a number above 0', (value) => FINITE[1](value) && (value as number) > 0],
  presencePenalty: FINITE,
  frequencyPenalty: FINITE,
  noRepeatNgramSize: integer(0),
  sequenceBias: SEQUENCE_BIAS,
};

/** Which tokens may come next in a text, as it goes on. */
export interface Kept {
  readonly allowed: Iterable<number>;
  push(id: number): void;
}

/**
 * What changes the logits of the next token: `terms` are added to them; then those above 0 are divided by `factors`, and the others
 * multiplied. Both are float32 [vocabulary], and follow the text token by token. The penalty for repetition is that of CTRL (Keskar et
 * al. 2019) as Hugging Face has it, those for presence and frequency are OpenAI's.
 */
export class Adjustments {
  readonly #terms: Float32Array<ArrayBuffer>;
  readonly factors: Float32Array<ArrayBuffer>;
  /** `terms` without what the end of the text says. */
  readonly #steady: Float32Array;
  readonly #options: Required<AdjustmentOptions>;
  readonly #seen = new Set<number>();
  /** What followed the grams of `noRepeatNgramSize` - 1 tokens. */
  readonly #followers = new Map<string, number[]>();
  readonly #ids: number[] = [];
  #passing: number[] = [];

  private constructor(
    options: Required<AdjustmentOptions>,
    vocabulary: number,
    prompt: readonly number[],
    private readonly kept: Kept | undefined,
  ) {
    this.#options = options;
    this.#steady = new Float32Array(vocabulary);
    this.factors = new Float32Array(vocabulary).fill(1);
    for (const [ids, bias] of options.sequenceBias) {
      const beyond = ids.find((id) => id >= vocabulary);
      if (beyond !== undefined)
        refuse('invalid-argument', 'generate', 'sequenceBias', `ids below ${vocabulary}`, beyond);
      if (ids.length === 1) this.#steady[ids[0]!]! += bias;
    }
    this.#terms = Float32Array.from(this.#steady);
    for (const id of prompt) this.#read(id);
    this.#pass();
  }

  /** Undefined where nothing is adjusted, no token is left out, and it is not `needed`. Error: `invalid-argument`. */
  static of(
    options: AdjustmentOptions,
    vocabulary: number,
    prompt: readonly number[],
    kept?: Kept,
    needed = false,
  ): Adjustments | undefined {
    const { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0 } = options;
    const { noRepeatNgramSize = 0, sequenceBias = [] } = options;
    const all = { repetitionPenalty, presencePenalty, frequencyPenalty, noRepeatNgramSize, sequenceBias };
    const none = repetitionPenalty === 1 && !presencePenalty && !frequencyPenalty && !noRepeatNgramSize;
    return none && !sequenceBias.length && !kept && !needed
      ? undefined
      : new Adjustments(all, vocabulary, prompt, kept);
  }

  /** What is added to the logits: -Infinity to those of tokens that may not come next. */
  get terms(): Float32Array<ArrayBuffer> {
    if (!this.kept) return this.#terms;
    const terms = new Float32Array(this.#terms.length).fill(Number.NEGATIVE_INFINITY);
    for (const id of this.kept.allowed) terms[id] = this.#terms[id]!;
    return terms;
  }

  /** The text goes on with this token. */
  push(id: number): void {
    this.kept?.push(id);
    const { presencePenalty, frequencyPenalty } = this.#options;
    for (const token of this.#passing) this.#terms[token] = this.#steady[token]!;
    this.#steady[id]! -= (this.#seen.has(id) ? 0 : presencePenalty) + frequencyPenalty;
    this.#terms[id] = this.#steady[id]!;
    this.#seen.add(id);
    this.#read(id);
    this.#pass();
  }

  #read(id: number): void {
    this.#ids.push(id);
    this.factors[id] = this.#options.repetitionPenalty;
    const size = this.#options.noRepeatNgramSize;
    if (!size || this.#ids.length < size) return;
    const gram = this.#ids.slice(this.#ids.length - size, -1).join();
    const followers = this.#followers.get(gram);
    if (followers) followers.push(id);
    else this.#followers.set(gram, [id]);
  }

  /** What the end of the text says of the next token alone. */
  #pass(): void {
    const { noRepeatNgramSize: size, sequenceBias } = this.#options;
    const ends = (ids: readonly number[]): boolean =>
      ids.length <= this.#ids.length && ids.every((id, i) => id === this.#ids[this.#ids.length - ids.length + i]);
    const here = sequenceBias.filter(([ids]) => ids.length > 1 && ends(ids.slice(0, -1)));
    for (const [ids, bias] of here) this.#terms[ids.at(-1)!]! += bias;
    const tail = size && this.#ids.length >= size - 1 ? this.#ids.slice(this.#ids.length - size + 1).join() : undefined;
    const banned = (tail !== undefined && this.#followers.get(tail)) || [];
    for (const id of banned) this.#terms[id] = Number.NEGATIVE_INFINITY;
    this.#passing = [...here.map(([ids]) => ids.at(-1)!), ...banned];
  }
}
