import { TilewrightError } from '../../errors.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import type { GraphBuilder } from '../../graph/builder.ts';
import type { Operand } from '../../graph/ir.ts';
import { checkArgument, checkOptions, either, integer, list, type Rules, text } from '../../options.ts';
import { ACTIVATIONS } from '../activation-names.ts';
import type { ModelFiles, OpenOptions } from '../model.ts';
import { GraphWeights } from '../weights.ts';
import type { Batch, EncodedText } from './batches.ts';
import {
  type Encoded,
  EncoderModel,
  type EncoderParts,
  encoderParts,
  READ_RULES,
  type Reading,
  type ReadOptions,
} from './model.ts';
import { type EmbeddingModules, readModules } from './modules.ts';
import { pooled, poolingInputs } from './pooling.ts';

/** How texts become vectors. */
export interface EmbedOptions extends ReadOptions {
  /** Comes before each text: what the model was trained to be told. Overrules `promptName`. */
  prompt?: string;
  /** The name of one of the folder's prompts: `query`, `document`. Absent: the one that the folder says. */
  promptName?: string;
  /** The first numbers of a vector, for models trained so (Kusupati et al. 2022). Of length 1 where the model's are. */
  dimensions?: number;
}

/** Vectors of texts. */
export interface Embeddings {
  /** One a text, in their order. */
  readonly vectors: Float32Array[];
  /** Tokens of all texts that the model read, those around them among them. */
  readonly tokens: number;
  /** Indices of the texts that were cut. */
  readonly truncated: number[];
}

const EMBED_RULES: Rules<EmbedOptions> = {
  ...READ_RULES,
  prompt: text,
  promptName: text,
  dimensions: integer(1),
};

/** A model on the device that gives each text a vector: texts that mean the same are near each other. */
export class Embedder extends EncoderModel {
  readonly task = 'feature-extraction';

  private constructor(
    parts: EncoderParts,
    private readonly modules: EmbeddingModules,
  ) {
    super(parts);
  }

  static async load(gpu: Gpu, files: ModelFiles, options: OpenOptions = {}): Promise<Embedder> {
    const modules = await readModules(files.folder, options.signal);
    return new Embedder(await encoderParts(gpu, files, options), modules).prepare(options);
  }

  /** Numbers of a vector. */
  get dimensions(): number {
    const pooled = this.modules.pooling.length * this.shape.width;
    return this.modules.after.reduce(
      (size, module) => (module === 'normalize' ? size : module.weights.get('weight').shape[0]!),
      pooled,
    );
  }

  /** The folder's prompts by name: texts that come before a text. */
  get prompts(): Readonly<Record<string, string>> {
    return this.modules.prompts;
  }

  override get context(): number {
    return Math.min(super.context, this.modules.longest ?? super.context);
  }

  /** Whether vectors have length 1: their dot product is then the cosine between them. */
  get normalized(): boolean {
    return this.modules.after.at(-1) === 'normalize';
  }

  /**
   * Vectors of texts, `dimensions` numbers each. Texts run in padded batches, the longest first; the result has their order. Errors:
   * `context-exceeded` for a text of more than `context` tokens without `truncate`, `invalid-argument` for an empty list, `not-found` for
   * a prompt that the folder has not, `aborted`, `disposed`, `device-lost`.
   */
  async embed(texts: string | readonly string[], options: EmbedOptions = {}): Promise<Embeddings> {
    checkArgument('embed', 'texts', texts, either(text, list(text)));
    checkOptions('embed', options, EMBED_RULES);
    const { dimensions = this.dimensions } = options;
    checkArgument('embed', 'dimensions', dimensions, integer(1, this.dimensions));
    const encoded = this.#prompted([texts].flat(), options);
    const vectors: Float32Array[] = new Array(encoded.length);
    const take = ({ vectors: rows }: Readonly<Record<string, unknown>>, { indices }: Batch): void => {
      const size = this.dimensions;
      for (const [row, index] of indices.entries())
        vectors[index] = this.#shortened((rows as Float32Array).slice(row * size, (row + 1) * size), dimensions);
    };
    await this.runAll(encoded, this.reading(encoded), take, options.signal);
    return {
      vectors,
      tokens: encoded.reduce((sum, { ids }) => sum + ids.length, 0),
      truncated: encoded.flatMap(({ cut }, index) => (cut ? [index] : [])),
    };
  }

  #promptNamed(name = this.modules.defaultPrompt): string {
    if (name === undefined) return '';
    const { prompts } = this.modules;
    if (Object.hasOwn(prompts, name)) return prompts[name]!;
    const known = Object.keys(prompts).join(', ') || 'none';
    throw new TilewrightError('not-found', `${this.files.name} has no prompt '${name}': it has ${known}`);
  }

  /** Texts after their prompt, whose tokens no pooling counts where the folder says so. */
  #prompted(texts: readonly string[], options: EmbedOptions): Encoded[] {
    const { lowerCase, includePrompt } = this.modules;
    const cased = (words: string): string => (lowerCase ? words.toLowerCase() : words);
    const prompt = options.prompt ?? this.#promptNamed(options.promptName);
    const encoded = this.encodedAll(
      'embed',
      texts.map((one) => cased(prompt + one)),
      options,
    );
    if (!prompt || includePrompt) return encoded;
    const { length } = this.tokenizer.encode(cased(prompt), { addSpecialTokens: false });
    return encoded.map((one) => ({ ...one, skipped: one.starts[0]! + length }));
  }

  #shortened(vector: Float32Array, dimensions: number): Float32Array {
    if (dimensions === vector.length) return vector;
    const short = vector.slice(0, dimensions);
    if (!this.normalized) return short;
    const length = Math.hypot(...short) || 1;
    return short.map((x) => x / length);
  }

  protected reading(texts: readonly EncodedText[]): Reading {
    const { pooling } = this.modules;
    return {
      name: 'embed',
      finish: (b, hidden) => ({ vectors: this.#after(b, pooled(b, hidden, pooling)) }),
      inputs: (batch) => poolingInputs(pooling, texts, batch),
    };
  }

  /** The modules after the pooling, in float32. */
  #after(b: GraphBuilder, rows: Operand): Operand {
    let x = rows;
    for (const module of this.modules.after) {
      if (module === 'normalize') {
        const length = b.reduceL2(x, { axes: [1], keepDimensions: true });
        x = b.div(x, b.clamp(length, { minValue: SHORTEST }));
        continue;
      }
      const w = new GraphWeights(b, module.weights, 'float32');
      const weight = w.get('weight', [-1, x.shape[1]!]);
      const product = b.matmul(x, weight, { transposeB: true, label: 'dense' });
      const sum = module.bias ? b.add(product, w.get('bias', [weight.shape[0]!])) : product;
      const y = ACTIVATIONS[module.activation]!(b, sum);
      x = module.residual ? b.add(y, x) : y;
    }
    return x;
  }
}

/** The length of a vector that is divided by it, at the least (torch.nn.functional.normalize). */
const SHORTEST = 1e-12;
