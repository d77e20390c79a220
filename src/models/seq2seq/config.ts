import { TilewrightError } from '../../errors.ts';
import { checkFields, integer, number, off, oneOf, type Rule } from '../../options.ts';
import { ACTIVATIONS } from '../activation-names.ts';
import type { LoadOptions, ModelFiles } from '../model.ts';
import { Weights } from '../weights.ts';
import type { Seq2SeqShape } from './shape.ts';
import { Tables } from './tables.ts';

export const SIZE: Rule = integer(1);
export const LAYERS: Rule = integer(1, 10_000);
export const ACTIVATION: Rule = oneOf(...Object.keys(ACTIVATIONS));
export const EPSILON: Rule = number(0);
export const ON: Rule = oneOf(true);
const NOTHING: Rule = [
  'nothing',
  (value) => value === false || (typeof value === 'object' && !Object.keys(value as object).length),
];

/** What every config of an encoder-decoder may say that changes the result. */
const COMMON: Readonly<Record<string, Rule>> = {
  vocab_size: SIZE,
  d_model: SIZE,
  is_encoder_decoder: ON,
  is_decoder: off,
  add_cross_attention: off,
  quantization_config: NOTHING,
  pruned_heads: NOTHING,
};

/** A folder's encoder-decoder: what its family makes of config and tensor names. */
export interface Seq2SeqFamily {
  /** The config's `model_type`. */
  readonly architecture: string;
  readonly shape: Seq2SeqShape;
  readonly weights: Weights;
  readonly tables: Tables;
}

/** A module of families. */
export interface Seq2SeqModule {
  /** Errors: those of the config and of the tensors. */
  family(files: ModelFiles, options: LoadOptions): Seq2SeqFamily;
}

/** The config of an encoder-decoder, with its tensors: each field has its type, or the value that transformers' class gives it. */
export class Seq2SeqConfig {
  readonly type: string;
  readonly weights: Weights;
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #where: string;

  /** Errors: `unsupported-option`. `own`: rules of the family. */
  constructor(
    readonly files: ModelFiles,
    own: Readonly<Record<string, Rule>>,
  ) {
    const { config = {}, checkpoint, name } = files;
    this.type = String(config['model_type']);
    this.#where = `${name}: config.json`;
    checkFields(this.#where, config, { ...COMMON, ...own });
    this.#fields = config;
    this.weights = new Weights(checkpoint);
  }

  /** A field; undefined where it is absent or null. */
  said<T>(name: string): T | undefined {
    return (this.#fields[name] ?? undefined) as T | undefined;
  }

  get<T>(name: string, otherwise: T): T {
    return this.said<T>(name) ?? otherwise;
  }

  /** A field without which there is no model. */
  need(name: string): number {
    const value = this.said<number>(name);
    if (value === undefined)
      throw new TilewrightError('unknown-architecture', `${this.#where}: ${name}: expected a number, got nothing`);
    return value;
  }

  fail(message: string): never {
    throw new TilewrightError('unsupported-option', `${this.#where}: ${message}`);
  }

  /** The size of a head of the model's width. Error: `wrong-shape`. */
  headSize(heads: number): number {
    const width = this.need('d_model');
    if (width % heads)
      throw new TilewrightError(
        'wrong-shape',
        `${this.#where}: a width of ${width} does not divide into ${heads} heads`,
      );
    return width / heads;
  }

  /** Positions of a stack: as many as the load asks for, at most those that the model is made for. Error: `invalid-argument`. */
  length(most: number, { context }: LoadOptions): number {
    if (context !== undefined && context > most)
      throw new TilewrightError(
        'invalid-argument',
        `context: expected at most ${most}, for which ${this.files.name} is made, got ${context}`,
      );
    return context ?? most;
  }

  family(shape: Seq2SeqShape): Seq2SeqFamily {
    return { architecture: this.type, shape, weights: this.weights, tables: new Tables() };
  }
}
