import { TilewrightError } from '../../errors.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { checkArgument, checkOptions, integer, type Rules, text } from '../../options.ts';
import type { ModelFiles, OpenOptions } from '../model.ts';
import type { Batch, EncodedText } from './batches.ts';
import { headed } from './graph.ts';
import { EncoderModel, encoderParts, READ_RULES, type Reading, type ReadOptions } from './model.ts';

/** A token that may stand in a gap. */
export interface Filling {
  readonly token: number;
  readonly text: string;
  /** Its probability among all tokens. */
  readonly score: number;
}

/** How gaps are filled. */
export interface FillOptions extends ReadOptions {
  /** Tokens of a gap at the most, the likeliest first. Default 5. */
  topK?: number;
}

const FILL_RULES: Rules<FillOptions> = { ...READ_RULES, topK: integer(1) };

/** A model on the device that says which tokens may stand in the gaps of a text. */
export class MaskFiller extends EncoderModel {
  readonly task = 'fill-mask';

  static async load(gpu: Gpu, files: ModelFiles, options: OpenOptions = {}): Promise<MaskFiller> {
    return new MaskFiller(await encoderParts(gpu, files, options)).prepare(options);
  }

  /** The text of a gap: `[MASK]`, `<mask>`. Error: `not-found` where the tokenizer has none. */
  get mask(): string {
    return this.tokenizer.decode([this.#gap]);
  }

  get #gap(): number {
    const { maskTokenId } = this.tokenizer;
    if (maskTokenId === undefined)
      throw new TilewrightError('not-found', `the tokenizer of ${this.files.name} has no token for a gap`);
    return maskTokenId;
  }

  /** The likeliest tokens of one row, of `topK`. */
  protected reading(texts: readonly EncodedText[], topK = 5): Reading {
    const { heads, shape } = this.family;
    const k = Math.min(topK, shape.vocabulary);
    const gaps = (batch: Batch): number[] => gapsOf(texts, batch, this.#gapOrFirst);
    const count = texts.length ? Math.max(1, texts[0]!.ids.filter((id) => id === this.#gapOrFirst).length) : 1;
    return {
      name: `fill ${k} ${count}`,
      finish(b, hidden, weights) {
        const [all, tokens, width] = hidden.shape as readonly [number, number, number];
        const places = b.input('gaps', { dataType: 'uint32', shape: [count] });
        const rows = b.gather(b.reshape(hidden, [all * tokens, width]), places);
        const head = headed(b, weights, rows, heads['fill-mask'], shape);
        const logits = head.dataType === 'float32' ? head : b.cast(head, 'float32');
        const [, indices] = b.topK(logits, k);
        return { indices, scores: b.gatherElements(b.softmax(logits), indices, { axis: 1 }) };
      },
      inputs: (batch) => ({ gaps: Uint32Array.from(gaps(batch).slice(0, count)) }),
    };
  }

  get #gapOrFirst(): number {
    return this.tokenizer.maskTokenId ?? 0;
  }

  /**
   * The likeliest tokens of each gap of a text. Errors: `invalid-argument` for a text without a gap, `context-exceeded` for one of more than
   * `context` tokens without `truncate`, `aborted`, `disposed`, `device-lost`.
   */
  async fill(given: string, options: FillOptions = {}): Promise<Filling[][]> {
    checkArgument('fill', 'text', given, text);
    checkOptions('fill', options, FILL_RULES);
    const encoded = this.encoded([given], 'the text', options.truncate);
    const count = encoded.ids.filter((id) => id === this.#gap).length;
    if (!count) throw new TilewrightError('invalid-argument', `fill: text: expected a gap, written ${this.mask}`);
    const gaps: Filling[][] = [];
    await this.runAll(
      [encoded],
      this.reading([encoded], options.topK),
      ({ indices, scores }) => {
        const k = indices!.length / count;
        for (let gap = 0; gap < count; gap++) {
          const tokens = Array.from({ length: k }, (_, i) => Number(indices![gap * k + i]));
          gaps.push(
            tokens.map((token, i) => ({
              ...{ token, text: this.tokenizer.decode([token]), score: Number(scores![gap * k + i]) },
            })),
          );
        }
      },
      options.signal,
    );
    return gaps;
  }
}

/** The rows of all gaps of a batch; the first row where there is none. */
function gapsOf(texts: readonly EncodedText[], { tokens, indices }: Batch, gap: number): number[] {
  const rows = indices.flatMap((index, row) =>
    texts[index]!.ids.flatMap((id, at) => (id === gap ? [row * tokens + at] : [])),
  );
  return rows.length ? rows : [0];
}
