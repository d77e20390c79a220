import type { Gpu } from '../../gpu/gpu.ts';
import { checkArgument, checkOptions, either, list, oneOf, type Rules, text } from '../../options.ts';
import type { ModelFiles, OpenOptions } from '../model.ts';
import { ofEachToken } from './heads.ts';
import { labelsOf, softmax } from './labels.ts';
import { EncoderModel, type EncoderParts, encoderParts, READ_RULES, type Reading, type ReadOptions } from './model.ts';

/** A part of a text with a label: `text.slice(start, end)`. */
export interface Tagged {
  readonly label: string;
  /** The probability of its first token; of an entity the mean over its words. */
  readonly score: number;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** How words are labelled. */
export interface TagOptions extends ReadOptions {
  /**
   * What is put together. `entity` (default): words that follow each other, of one label by their first token, `B-` beginning another. `word`: the
   * tokens of a word, by its first. `token`: nothing. The label `O` is left out but of tokens.
   */
  together?: 'entity' | 'word' | 'token';
}

const TAG_RULES: Rules<TagOptions> = { ...READ_RULES, together: oneOf('entity', 'word', 'token') };

/** A token with its label, and whether a word begins with it. */
interface Token {
  label: string;
  score: number;
  readonly start: number;
  end: number;
  count: number;
  readonly begins: boolean;
}

/** A model on the device that gives the words of a text labels: names of persons and places, parts of speech. */
export class Tagger extends EncoderModel {
  readonly task = 'token-classification';
  readonly labels: readonly string[];

  private constructor(parts: EncoderParts) {
    super(parts);
    this.labels = labelsOf(this.family, this.task);
  }

  static async load(gpu: Gpu, files: ModelFiles, options: OpenOptions = {}): Promise<Tagger> {
    return new Tagger(await encoderParts(gpu, files, options)).prepare(options);
  }

  protected reading(): Reading {
    return ofEachToken(this.family, this.task);
  }

  /**
   * The labelled parts of a text; of a list, those of each. Errors: `context-exceeded` for a text of more than `context` tokens without `truncate`,
   * `aborted`, `disposed`, `device-lost`.
   */
  tag(texts: string, options?: TagOptions): Promise<Tagged[]>;
  tag(texts: readonly string[], options?: TagOptions): Promise<Tagged[][]>;
  async tag(texts: string | readonly string[], options: TagOptions = {}): Promise<Tagged[] | Tagged[][]> {
    checkArgument('tag', 'texts', texts, either(text, list(text)));
    checkOptions('tag', options, TAG_RULES);
    const all = [texts].flat();
    const encoded = this.encodedAll('tag', all, options);
    const tagged: Tagged[][] = new Array(all.length);
    const width = this.labels.length;
    await this.runAll(
      encoded,
      this.reading(),
      ({ logits }, { indices, tokens }) => {
        for (const [row, index] of indices.entries()) {
          const own = (logits as Float32Array).subarray(row * tokens * width);
          const rowOf = (at: number): Float32Array => own.slice(at * width, (at + 1) * width);
          const { words, starts } = encoded[index]!;
          tagged[index] = this.#parts(all[index]!, words[0]!, (i) => rowOf(starts[0]! + i), options.together);
        }
      },
      options.signal,
    );
    return typeof texts === 'string' ? tagged[0]! : tagged;
  }

  #parts(
    given: string,
    words: readonly number[],
    rowOf: (index: number) => Float32Array,
    together: TagOptions['together'] = 'entity',
  ): Tagged[] {
    const tokens: Token[] = [];
    let end = -1;
    for (const [i, place] of this.tokenizer.offsets(given).slice(0, words.length).entries()) {
      if (!place) continue;
      const scores = softmax(rowOf(i));
      const best = scores.indexOf(Math.max(...scores));
      // A word goes on where the token before it ended, unless a mark of punctuation stands there.
      const touching = place[0] <= end;
      const marks = /^\p{P}|\p{P}$/u;
      const begins = !touching || marks.test(given.slice(...place)) || marks.test(given.slice(end - 1, end));
      tokens.push({
        label: this.labels[best]!,
        score: scores[best]!,
        start: place[0],
        end: place[1],
        count: 1,
        begins,
      });
      end = place[1];
    }
    const parts = together === 'token' ? tokens : joined(tokens, ({ begins }) => !begins, 0);
    const named = together === 'token' ? parts : parts.filter(({ label }) => label !== 'O');
    const entities = together === 'entity' ? joined(named.map(plain), follows, 1) : named;
    return entities.map(({ label, score, count, start, end }) => ({
      ...{ label, score: score / count, text: given.slice(start, end), start, end },
    }));

    /** An entity's begin and inside have one label. */
    function plain(token: Token): Token & { readonly opens: boolean } {
      return { ...token, label: token.label.replace(/^[BI]-/, ''), opens: token.label.startsWith('B-') };
    }
    function follows(token: Token & { readonly opens?: boolean }, before: Token): boolean {
      return !token.opens && token.label === before.label && !given.slice(before.end, token.start).trim();
    }
  }
}

/** Puts tokens together that go on with the one before: the label is the first's, and later scores count by `weight`. */
function joined<T extends Token>(tokens: readonly T[], goesOn: (token: T, before: T) => boolean, weight: 0 | 1): T[] {
  const parts: T[] = [];
  for (const token of tokens) {
    const before = parts.at(-1);
    if (before && goesOn(token, before)) {
      before.end = token.end;
      before.score += weight * token.score;
      before.count += weight * token.count;
    } else parts.push({ ...token });
  }
  return parts;
}
