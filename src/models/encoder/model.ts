import { TilewrightError, throwIfAborted } from '../../errors.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { loadOps } from '../../graph/groups/index.ts';
import type { Graph } from '../../graph/ir.ts';
import { readJson } from '../../hub/folder.ts';
import { checkArgument, checkOptions, flag, type Rule, type Rules, signal, text } from '../../options.ts';
import type { TensorInput } from '../../runtime/session.ts';
import type { TensorData } from '../../tensor/types.ts';
import { type FramedTokens, loadTokenizer, type Tokenizer } from '../../text/tokenizer.ts';
import { encoderModule } from '../families/encoders.ts';
import { LoadedModel, type LoadOptions, type ModelFiles, macsOf, type OpenOptions } from '../model.ts';
import type { TextShape } from '../text-family.ts';
import { type Batch, batchesOf, bucketOf, type EncodedText } from './batches.ts';
import { encoderGraph, maskOf } from './graph.ts';
import type { EncoderFamily, EncoderRun, Finish } from './shape.ts';

/** A model of more parameters has weights of int8, unless another type is asked for. */
const MOST_FLOAT = 300e6;

/** Tensors of heads, of which a task takes its own at the most. */
const HEADS =
  /^(cls|lm_head|classifier|pre_classifier|qa_outputs|vocab_(transform|layer_norm|projector)|generator_(predictions|lm_head)|discriminator_predictions|head|decoder)\.|(^|\.)pooler\./;

/** What a task makes of the hidden rows of a batch. */
export interface Reading {
  /** Tells graphs of one model apart. */
  readonly name: string;
  readonly finish: Finish;
  /** Inputs beside tokens, types and mask. */
  inputs?(batch: Batch): Readonly<Record<string, TensorInput>>;
}

/** Gets what a batch gave. */
export type Take = (outputs: Readonly<Record<string, TensorData>>, batch: Batch) => void;

/** Two texts that are read together: a question and a passage, a claim and what may follow from it. */
export interface TextPair {
  readonly text: string;
  readonly pair: string;
}

/** How texts are read. */
export interface ReadOptions {
  /** Cuts texts that are longer than the model takes, of a pair the longer one. Absent: they are an error. */
  truncate?: boolean;
  signal?: AbortSignal;
}

export const READ_RULES: Rules<ReadOptions> = { truncate: flag, signal };

const isText = (given: unknown): boolean => {
  const { text: first, pair } = (given ?? {}) as Partial<TextPair>;
  return text[1](given) || (text[1](first) && text[1](pair));
};
export const TEXTS: Rule = [
  'a list of texts, or of { text, pair }',
  (given) => Array.isArray(given) && given.every(isText),
];

/** What all tasks of encoders are made of. */
export interface EncoderParts {
  readonly gpu: Gpu;
  readonly files: ModelFiles;
  readonly options: LoadOptions;
  readonly family: EncoderFamily;
  readonly tokenizer: Tokenizer | undefined;
  /** Whether the second text of a pair is of another kind of segment. */
  readonly typed: boolean;
  /** Tokens of a text at the most. */
  readonly longest: number;
}

/** Reads what an encoder of a folder is made of. Errors: those of the config, the tensors and the tokenizer. */
export async function encoderParts(gpu: Gpu, files: ModelFiles, given: OpenOptions): Promise<EncoderParts> {
  const { groups, encoder } = await encoderModule(files);
  await loadOps(['text', ...groups]);
  const family = encoder(files, given);
  const { shape, weights } = family;
  const options = given.dtype || weights.parameters <= MOST_FLOAT ? given : { ...given, dtype: 'int8' as const };
  const [json, config] = await Promise.all(
    ['tokenizer.json', 'tokenizer_config.json'].map((file) => readJson(files.folder, file, options.signal)),
  );
  const tokenizer = json && (await loadTokenizer(json, config, { ...shape, cuts: true }));
  const inputs = config?.['model_input_names'] as readonly string[] | undefined;
  const typed = (shape.types?.count ?? 1) > 1 && (inputs?.includes('token_type_ids') ?? true);
  const said = config?.['model_max_length']; // transformers writes 1e30 for none
  const longest = Math.min(shape.context, typeof said === 'number' && said >= 1 ? said : shape.context);
  return { gpu, files, options, family, tokenizer, typed, longest };
}

/** A text or a pair as the model reads it, and the tokens of each. */
export interface Encoded extends EncodedText, FramedTokens {
  readonly types: readonly number[];
  readonly words: readonly (readonly number[])[];
  readonly cut: boolean;
}

/** Texts of `most` tokens together: the longest is cut first. */
function shortened(words: readonly number[][], most: number): number[][] {
  const lengths = words.map(({ length }) => length);
  for (let left = lengths.reduce((a, b) => a + b, 0) - most; left > 0; left--)
    lengths[lengths.indexOf(Math.max(...lengths))]!--;
  return words.map((ids, i) => ids.slice(0, lengths[i]));
}

/** A model on the device that reads texts whole: batches of them, and what its task makes of their hidden rows. */
export abstract class EncoderModel extends LoadedModel {
  readonly architecture: string;
  readonly shape: TextShape;
  readonly parameters: number;
  protected macs = 0;

  constructor(protected readonly parts: EncoderParts) {
    super(parts.gpu, parts.files, parts.options);
    const { architecture, shape, weights } = parts.family;
    this.architecture = architecture;
    this.shape = shape;
    this.parameters = weights.parameters;
  }

  protected get family(): EncoderFamily {
    return this.parts.family;
  }

  /** Brings the weights to the device. With `onPaper` it only looks whether all are there. */
  protected async prepare({ onPaper, allowUnused, signal, onProgress }: OpenOptions): Promise<this> {
    try {
      const graph = this.graph();
      if (!allowUnused) this.family.weights.needAllTaken(HEADS);
      if (onPaper) return this;
      const run = this.#typical;
      const { name, finish } = this.reading([]);
      await this.withSession(
        nameOf(name, run),
        () => this.#graph(run, finish),
        async () => {},
        { signal, onProgress },
      );
      this.macs = Math.round((await macsOf(graph)) / run.tokens);
      return this;
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** What the task makes of the hidden rows. */
  protected abstract reading(texts: readonly EncodedText[]): Reading;

  protected override get mostSessions(): number {
    return 8;
  }

  /** Tokens of a text at the most, those around it among them. */
  get context(): number {
    return this.parts.longest;
  }

  /** Errors: `not-found` where the folder has no tokenizer.json. */
  get tokenizer(): Tokenizer {
    const { tokenizer } = this.parts;
    if (!tokenizer)
      throw new TilewrightError(
        'not-found',
        `${this.files.name} has no tokenizer.json, without which it reads no text`,
      );
    return tokenizer;
  }

  /**
   * A text, or a pair, with what the tokenizer puts around it. One that is too long is cut at its end, of a pair the longer one, or
   * is an error that says its `name`: `context-exceeded`.
   */
  protected encoded(texts: readonly string[], name: string, truncate = false): Encoded {
    const { tokenizer, context } = this;
    let words = texts.map((one) => tokenizer.encode(one, { addSpecialTokens: false }));
    const around = tokenizer.frame([], words.length > 1 ? [] : undefined).ids.length;
    const total = words.reduce((sum, { length }) => sum + length, around);
    const cut = total > context;
    if (cut && !truncate)
      throw new TilewrightError('context-exceeded', `${name} has ${total} tokens, the model reads at most ${context}`, {
        hint: 'Cut texts to what the model reads with { truncate: true }.',
      });
    if (cut) words = shortened(words, Math.max(0, context - around));
    return { ...tokenizer.frame(words[0]!, words[1]), words, cut };
  }

  /** One text of a usual length. */
  get #typical(): EncoderRun {
    return { texts: 1, tokens: bucketOf(64, this.context), typed: false, dataType: this.dataType };
  }

  /** The graph of the task for a batch: inputs `tokens` uint32 [texts, tokens], `mask` float32 [texts, tokens], and the task's. */
  graph(texts = 1, tokens = bucketOf(64, this.context), dataType = this.dataType): Graph {
    return this.#graph({ texts, tokens, typed: false, dataType }, this.reading([]).finish);
  }

  #graph(run: EncoderRun, finish: Finish): Graph {
    return encoderGraph(this.family, run, finish);
  }

  graphs(): Readonly<Record<string, Graph>> {
    return { text: this.graph() };
  }

  typicalInputs(): Readonly<Record<string, TensorInput>> {
    const { tokens } = this.#typical;
    return this.inputsOf(
      Array.from({ length: tokens }, (_, i) => (i * 7919) % this.shape.vocabulary),
      tokens,
    );
  }

  /** The inputs of the graph for one text, padded to `tokens`. @internal */
  inputsOf(ids: readonly number[], tokens: number): Readonly<Record<string, TensorInput>> {
    const padded = Uint32Array.from({ length: tokens }, (_, i) => ids[i] ?? 0);
    const batch = { tokens, texts: 1, indices: [0] };
    return { tokens: padded, mask: maskOf([ids.length], tokens), ...this.reading([{ ids }]).inputs?.(batch) };
  }

  /**
   * The last hidden rows of texts or pairs, [tokens, width] each, the tokens around them among them. Errors: `context-exceeded` for a text of
   * more than `context` tokens without `truncate`, `invalid-argument` for an empty list, `aborted`, `disposed`, `device-lost`.
   */
  async hiddenStates(texts: readonly (string | TextPair)[], options: ReadOptions = {}): Promise<Float32Array[]> {
    checkOptions('hiddenStates', options, READ_RULES);
    const encoded = this.encodedAll('hiddenStates', texts, options);
    const rows: Float32Array[] = new Array(encoded.length);
    const finish: Finish = (b, hidden) => ({
      rows: hidden.dataType === 'float32' ? hidden : b.cast(hidden, 'float32'),
    });
    const { width } = this.shape;
    const take: Take = ({ rows: all }, { indices, tokens }) => {
      for (const [row, index] of indices.entries()) {
        const from = row * tokens * width;
        rows[index] = (all as Float32Array).slice(from, from + encoded[index]!.ids.length * width);
      }
    };
    await this.runAll(encoded, { name: 'rows', finish }, take, options.signal);
    return rows;
  }

  /** All texts of a call. Errors: `invalid-argument` for an empty list, `context-exceeded`. */
  protected encodedAll(call: string, texts: readonly (string | TextPair)[], { truncate }: ReadOptions): Encoded[] {
    checkArgument(call, 'texts', texts, TEXTS);
    if (!texts.length)
      throw new TilewrightError('invalid-argument', `${call}: texts: expected at least one text, got none`);
    return texts.map((one, index) =>
      this.encoded(typeof one === 'string' ? [one] : [one.text, one.pair], `text ${index}`, truncate),
    );
  }

  /** Runs texts in padded batches of few shapes. `take` gets what a batch gave. Errors: `aborted`, `device-lost`, `disposed`. */
  protected async runAll(
    texts: readonly EncodedText[],
    { name, finish, inputs }: Reading,
    take: Take,
    signal?: AbortSignal,
  ): Promise<void> {
    for (const batch of batchesOf(
      texts.map(({ ids }) => ids.length),
      this.context,
    )) {
      throwIfAborted(signal, 'reading texts');
      const { tokens, indices } = batch;
      const rows = (of: (text: EncodedText) => readonly number[]): Uint32Array => {
        const all = new Uint32Array(batch.texts * tokens);
        for (const [row, index] of indices.entries()) all.set(of(texts[index]!), row * tokens);
        return all;
      };
      const typed = this.parts.typed && indices.some((index) => texts[index]!.types?.some(Boolean));
      const run: EncoderRun = { texts: batch.texts, tokens, typed, dataType: this.dataType };
      const lengths = Array.from({ length: batch.texts }, (_, row) => texts[indices[row]!]?.ids.length ?? 0);
      const given = {
        tokens: rows(({ ids }) => ids),
        mask: maskOf(lengths, tokens),
        ...(typed && { types: rows(({ ids, types }) => types ?? ids.map(() => 0)) }),
        ...inputs?.(batch),
      };
      const work = () =>
        this.withSession(
          nameOf(name, run),
          () => this.#graph(run, finish),
          (session) => session.run(given, { signal }),
          { signal },
        );
      take(await this.recovering(work), batch);
    }
  }
}

const nameOf = (name: string, { texts, tokens, typed }: EncoderRun): string =>
  `${name} ${texts}x${tokens}${typed ? ' typed' : ''}`;
