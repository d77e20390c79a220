import { TilewrightError } from '../../errors.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { checkArgument, checkOptions, integer, type Rules, text } from '../../options.ts';
import type { TensorInput } from '../../runtime/session.ts';
import type { ModelFiles, OpenOptions } from '../model.ts';
import type { EncodedText } from './batches.ts';
import { headed } from './heads.ts';
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

  /** The likeliest tokens of the gaps of one text. One without gaps is read as if its first token were one: so weights come to the device. */
  protected reading([text]: readonly EncodedText[], topK = 5): Reading {
    const { family, task } = this;
    const k = Math.min(topK, this.shape.vocabulary);
    const found = (text?.ids ?? []).flatMap((id, at) => (id === this.parts.tokenizer?.maskTokenId ? [at] : []));
    const gaps = Uint32Array.from(found.length ? found : [0]);
    return {
      name: `fill ${k} ${gaps.length}`,
      finish(b, hidden, weights) {
        const places = b.input('gaps', { dataType: 'uint32', shape: [gaps.length] });
        const rows = b.gather(b.reshape(hidden, hidden.shape.slice(1)), places);
        const logits = headed(b, weights, rows, task, family);
        const [, indices] = b.topK(logits, k);
        return { indices, scores: b.gatherElements(b.softmax(logits), indices, { axis: 1 }) };
      },
      inputs: () => ({ gaps }),
    };
  }

  /** Those of a text whose first token is a gap. @internal */
  override inputsOf(ids: readonly number[], tokens: number): Readonly<Record<string, TensorInput>> {
    return { ...super.inputsOf(ids, tokens), gaps: [0] };
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
