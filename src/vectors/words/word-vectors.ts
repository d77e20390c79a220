import { TilewrightError, throwIfAborted } from '../../errors.ts';
import {
  signal as abortSignal,
  checkArgument,
  checkOptions,
  either,
  list,
  type Rule,
  type Rules,
  shown,
  text,
} from '../../options.ts';
import { Resource } from '../../runtime/resource.ts';
import type { Tokenizer } from '../../text/tokenizer.ts';
import { norm, type Vector, type VectorDataType, type VectorTable } from '../table.ts';
import { isVector, SEARCH_RULES, type SearchOptions, TOP, type VectorIndex } from '../vector-index.ts';

/** A word that a search found. */
export interface NearWord {
  readonly word: string;
  /** Its cosine with the query. */
  readonly score: number;
}

/** What an analogy is made of: `king` and `woman`, without `man`. */
export interface Analogy {
  /** Words that are added. */
  readonly positive: readonly string[];
  /** Words that are taken away. */
  readonly negative?: readonly string[];
}

/** How texts become vectors. */
export interface Texts {
  readonly tokenizer: Tokenizer;
  /** The token of what is unknown: it is left out. */
  readonly without: number | undefined;
  /** Whether the mean of a text is made a unit vector. */
  readonly normalize: boolean;
}

/** What was read of a file or a folder: the id of a word is its row in the table. */
export interface WordsRead {
  readonly ids: ReadonlyMap<string, number>;
  readonly table: VectorTable;
  readonly texts?: Texts;
}

const ANALOGY_RULES: Rules<Analogy> = { positive: list(text), negative: list(text) };
const EMBED_RULES: Rules<Pick<SearchOptions, 'signal'>> = { signal: abortSignal };
const VECTOR: Rule = ['a vector', isVector];

/** Words with their vectors, as GloVe, word2vec and model2vec have them: `engine.wordVectors` loads them. */
export class WordVectors extends Resource {
  /** Tells it from models. */
  readonly task = 'word-vectors';
  protected readonly title = 'the word vectors';
  /** By their ids. */
  readonly #words: string[] = [];

  /** The index, of the same table, goes with this. @internal */
  constructor(
    private readonly read: WordsRead,
    private readonly index: VectorIndex,
  ) {
    super();
    for (const [word, id] of read.ids) this.#words[id] = word;
  }

  /** How many words there are. */
  get size(): number {
    return this.index.size;
  }

  /** The length of a vector. */
  get dimension(): number {
    return this.index.dimension;
  }

  /** How vectors are kept. */
  get dtype(): VectorDataType {
    return this.index.dtype;
  }

  /** Bytes on the device. */
  get deviceBytes(): number {
    return this.index.deviceBytes;
  }

  /** Whether there is a word, written like this. */
  has(word: string): boolean {
    return this.read.ids.has(word);
  }

  /** The vector of a word. Error: `invalid-argument` where there is no such word. */
  vector(word: string): Float32Array {
    this.alive();
    const vector = new Float32Array(this.dimension);
    this.read.table.read(this.#id('vector', word), vector);
    return vector;
  }

  /** The cosine of the vectors of two words: 0 where one is zeros. Error: `invalid-argument`. */
  similarity(a: string, b: string): number {
    const [x, y] = [this.#unit('similarity', a), this.#unit('similarity', b)];
    return x.reduce((sum, one, i) => sum + one * y[i]!, 0);
  }

  /**
   * The words nearest to a word, which is none of them, or to a vector; by their cosines, best first. Errors: `invalid-argument`,
   * `wrong-shape`, `aborted`, `device-lost`, `disposed`.
   */
  async nearest(to: string | Vector, options: SearchOptions = {}): Promise<NearWord[]> {
    checkArgument('nearest', 'to', to, either(text, VECTOR));
    if (typeof to === 'string') return this.#nearest(this.vector(to), new Set([this.#id('nearest', to)]), options);
    return this.#nearest(to, new Set(), options);
  }

  /**
   * The words nearest to a sum of words: of each the unit vector is added or taken away. The words themselves are none of them.
   * Errors: as those of `nearest`.
   */
  async analogy(words: Analogy, options: SearchOptions = {}): Promise<NearWord[]> {
    checkOptions('analogy', words, ANALOGY_RULES);
    const { positive, negative = [] } = words;
    if (!positive?.length && !negative.length)
      throw new TilewrightError('invalid-argument', 'analogy: positive: expected at least one word, got none');
    const sum = new Float32Array(this.dimension);
    const given = new Set<number>();
    for (const [word, sign] of [
      ...(positive ?? []).map((word) => [word, 1] as const),
      ...negative.map((word) => [word, -1] as const),
    ]) {
      given.add(this.#id('analogy', word));
      for (const [i, x] of this.#unit('analogy', word).entries()) sum[i]! += sign * x;
    }
    return this.#nearest(sum, given, options);
  }

  async #nearest(vector: Vector, without: ReadonlySet<number>, options: SearchOptions): Promise<NearWord[]> {
    checkOptions('nearest', options, SEARCH_RULES);
    const { topK = TOP, signal } = options;
    const hits = await this.index.search(vector, { topK: topK + without.size, ...(signal && { signal }) });
    const others = hits.filter(({ id }) => !without.has(id)).slice(0, topK);
    return others.map(({ id, score }) => ({ word: this.#words[id]!, score }));
  }

  /**
   * The vectors of texts: the mean of their tokens' vectors, of length 1 where the model's config says `normalize`; zeros where a
   * text has no token that is known. Error: `invalid-argument` for a file of words, which says nothing of texts.
   */
  async embed(texts: readonly string[], options: Pick<SearchOptions, 'signal'> = {}): Promise<Float32Array[]> {
    this.alive();
    checkOptions('embed', options, EMBED_RULES);
    checkArgument('embed', 'texts', texts, list(text));
    if (!texts.length) throw new TilewrightError('invalid-argument', 'embed: texts: expected at least one, got none');
    const { texts: how } = this.read;
    if (!how)
      throw new TilewrightError(
        'invalid-argument',
        'embed: a file of words says nothing of how a text is cut into them',
        {
          hint: 'vector(word) gives the vector of a word; folders of model2vec embed texts.',
        },
      );
    return texts.map((one) => {
      throwIfAborted(options.signal, 'embedding');
      return this.#mean(one, how);
    });
  }

  #mean(given: string, { tokenizer, without, normalize }: Texts): Float32Array {
    const known = tokenizer.encode(given, { addSpecialTokens: false }).filter((id) => id !== without);
    const sums = new Float64Array(this.dimension);
    const vector = new Float32Array(this.dimension);
    for (const id of known) {
      this.read.table.read(id, vector);
      for (let i = 0; i < sums.length; i++) sums[i]! += vector[i]! / known.length;
    }
    const length = normalize ? norm(sums, 0, sums.length) || 1 : 1;
    return Float32Array.from(sums, (x) => x / length);
  }

  #unit(call: string, word: string): Float64Array {
    this.#id(call, word);
    const vector = this.vector(word);
    const length = norm(vector, 0, vector.length) || 1;
    return Float64Array.from(vector, (x) => x / length);
  }

  #id(call: string, word: string): number {
    const id = this.read.ids.get(word);
    if (id === undefined)
      throw new TilewrightError('invalid-argument', `${call}: there is no word ${shown(word)} among ${this.size}`, {
        hint: 'has(word) says whether there is one. Words are told by how they are written, capitals included.',
      });
    return id;
  }

  protected release(): void {
    this.index.dispose();
  }
}
