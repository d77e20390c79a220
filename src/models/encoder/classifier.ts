import { TilewrightError } from '../../errors.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { checkArgument, checkOptions, integer, type Rules, text } from '../../options.ts';
import type { ModelFiles, OpenOptions } from '../model.ts';
import type { EncodedText } from './batches.ts';
import { headed } from './heads.ts';
import { labelsOf, sigmoid, softmax, type TextLabel } from './labels.ts';
import {
  EncoderModel,
  type EncoderParts,
  encoderParts,
  READ_RULES,
  type Reading,
  type ReadOptions,
  type TextPair,
} from './model.ts';
import { pooled, poolingInputs } from './pooling.ts';

/** How texts are classified. */
export interface TextClassifyOptions extends ReadOptions {
  /** Labels of a text at the most, the likeliest first. Absent: all. */
  topK?: number;
}

/** A document and how well it answers a query. */
export interface Ranked {
  /** Its place among the documents given. */
  readonly index: number;
  readonly score: number;
}

const CLASSIFY_RULES: Rules<TextClassifyOptions> = { ...READ_RULES, topK: integer(1) };

/** A model on the device that gives texts labels, or a score: of sentiment, of topic, of how well a passage answers a question. */
export class TextClassifier extends EncoderModel {
  readonly task = 'text-classification';
  readonly labels: readonly string[];

  private constructor(parts: EncoderParts) {
    super(parts);
    this.labels = labelsOf(this.family, this.task);
  }

  static async load(gpu: Gpu, files: ModelFiles, options: OpenOptions = {}): Promise<TextClassifier> {
    return new TextClassifier(await encoderParts(gpu, files, options)).prepare(options);
  }

  protected reading(texts: readonly EncodedText[]): Reading {
    const { family, task } = this;
    const modes = [family.classifiedBy === 'first' ? 'cls' : 'mean'] as const;
    return {
      name: 'classify',
      finish: (b, hidden, weights) => ({ logits: headed(b, weights, pooled(b, hidden, modes), task, family) }),
      inputs: (batch) => poolingInputs(modes, texts, batch),
    };
  }

  /**
   * Logits of texts or of pairs, one row of `labels.length` a text. Errors: `context-exceeded` for a text of more than `context` tokens without
   * `truncate`, `invalid-argument` for an empty list, `aborted`, `disposed`, `device-lost`.
   */
  async logits(texts: readonly (string | TextPair)[], options: ReadOptions = {}): Promise<Float32Array[]> {
    checkOptions('logits', options, READ_RULES);
    const encoded = this.encodedAll('logits', texts, options);
    const all: Float32Array[] = new Array(texts.length);
    const width = this.labels.length;
    await this.runAll(
      encoded,
      this.reading(encoded),
      ({ logits }, { indices }) => {
        for (const [row, index] of indices.entries())
          all[index] = (logits as Float32Array).slice(row * width, (row + 1) * width);
      },
      options.signal,
    );
    return all;
  }

  /**
   * The labels of a text or a pair, the likeliest first; of a list, those of each. Scores are probabilities: of one label among all, or, where
   * the config says `multi_label_classification` or there is one label only, of each by itself; of a `regression` they are what the model
   * gives. Errors: as of `logits`.
   */
  classify(texts: string | TextPair, options?: TextClassifyOptions): Promise<TextLabel[]>;
  classify(texts: readonly (string | TextPair)[], options?: TextClassifyOptions): Promise<TextLabel[][]>;
  async classify(
    texts: string | TextPair | readonly (string | TextPair)[],
    { topK = this.labels.length, ...options }: TextClassifyOptions = {},
  ): Promise<TextLabel[] | TextLabel[][]> {
    checkOptions('classify', { topK, ...options }, CLASSIFY_RULES);
    const all = Array.isArray(texts) ? texts : [texts];
    const rows = (await this.logits(all as readonly (string | TextPair)[], options)).map((logits) =>
      Array.from(this.#scores(logits), (score, index) => ({ index, label: this.labels[index]!, score }))
        .sort((a, b) => b.score - a.score || a.index - b.index)
        .slice(0, topK),
    );
    return Array.isArray(texts) ? rows : rows[0]!;
  }

  /**
   * Documents by how well they answer a query, the best first: for models of one label (cross-encoders, rerankers), whose logit is the
   * score. Errors: `invalid-argument` where the model has more labels; those of `logits`.
   */
  async rerank(query: string, documents: readonly string[], options: TextClassifyOptions = {}): Promise<Ranked[]> {
    checkArgument('rerank', 'query', query, text);
    const { topK = documents.length, ...how } = options;
    checkOptions('rerank', options, CLASSIFY_RULES);
    if (this.labels.length !== 1)
      throw new TilewrightError(
        'invalid-argument',
        `rerank: ${this.files.name} gives ${this.labels.length} labels, expected one score`,
      );
    const logits = await this.logits(
      documents.map((pair) => ({ text: query, pair })),
      how,
    );
    return logits
      .map(([score], index) => ({ index, score: score! }))
      .sort((a, b) => b.score - a.score || a.index - b.index)
      .slice(0, topK);
  }

  #scores(logits: Float32Array): Float32Array {
    const problem = this.family.config.said('problem_type');
    if (problem === 'regression') return logits;
    return problem === 'multi_label_classification' || logits.length === 1 ? logits.map(sigmoid) : softmax(logits);
  }
}
