import { TilewrightError } from '../../errors.ts';
import type { Checkpoint } from '../../formats/safetensors.ts';
import { flag, integer, list, number, off, oneOf, type Rule } from '../../options.ts';
import { ACTIVATIONS } from '../activation-names.ts';
import { Config } from '../config.ts';
import type { LoadOptions, ModelFiles } from '../model.ts';
import type { TextShape } from '../text-family.ts';
import { Weights } from '../weights.ts';

export const SIZE: Rule = integer(1);
export const ACTIVATION: Rule = oneOf(...Object.keys(ACTIVATIONS));
const NOTHING: Rule = [
  'nothing',
  (value) => value === false || (typeof value === 'object' && !Object.keys(value as object).length),
];

/** What every encoder's config may say that changes the result. */
const COMMON: Readonly<Record<string, Rule>> = {
  architectures: list(['a name', (value) => typeof value === 'string']),
  vocab_size: SIZE,
  hidden_size: SIZE,
  intermediate_size: SIZE,
  num_hidden_layers: integer(1, 10_000),
  num_attention_heads: SIZE,
  max_position_embeddings: SIZE,
  type_vocab_size: integer(0),
  hidden_act: ACTIVATION,
  layer_norm_eps: number(0),
  pad_token_id: integer(0),
  tie_word_embeddings: flag,
  problem_type: oneOf('regression', 'single_label_classification', 'multi_label_classification'),
  position_embedding_type: oneOf('absolute'),
  // What is not computed.
  is_decoder: off,
  add_cross_attention: off,
  is_encoder_decoder: off,
  quantization_config: NOTHING,
  pruned_heads: NOTHING,
};

/** The names of a config's sizes, where they are not BERT's. */
export interface SizeNames {
  readonly layers: string;
  readonly width: string;
  readonly heads: string;
  readonly inner: string;
}
const BERT: SizeNames = {
  layers: 'num_hidden_layers',
  width: 'hidden_size',
  heads: 'num_attention_heads',
  inner: 'intermediate_size',
};

/** Files of TensorFlow's time call weight and bias of a LayerNorm `gamma` and `beta`. */
function renamed(checkpoint: Checkpoint): Checkpoint {
  const named = (name: string): string =>
    name.replace(/(LayerNorm\.)gamma$/, '$1weight').replace(/(LayerNorm\.)beta$/, '$1bias');
  return { ...checkpoint, tensors: new Map([...checkpoint.tensors].map(([name, tensor]) => [named(name), tensor])) };
}

/** The config of an encoder, with its tensors. */
export class EncoderConfig extends Config {
  readonly weights: Weights;

  /** `own`: rules of the family. `prefix`: before the names of tensors but the heads'; a bare model has none. Error: `unsupported-option`. */
  constructor(files: ModelFiles, own: Readonly<Record<string, Rule>>, prefix: string, table: string) {
    super(files, { ...COMMON, ...own });
    const checkpoint = renamed(files.checkpoint);
    this.weights = new Weights(checkpoint, checkpoint.tensors.has(`${prefix}${table}.weight`) ? prefix : '');
  }

  /**
   * Sizes as the config says them. `first`: positions that come before a text's. `context`: as the load's option says it, else as many
   * tokens as there are positions. Errors: `wrong-shape`, `invalid-argument`.
   */
  sizes({ context }: LoadOptions, first = 0, names = BERT): TextShape & { readonly inner: number } {
    const [width, heads] = [this.need(names.width), this.need(names.heads)];
    if (width % heads)
      throw new TilewrightError(
        'wrong-shape',
        `${this.where}: ${names.width} ${width} does not divide into ${heads} heads`,
      );
    const longest = this.need('max_position_embeddings') - first;
    if (context !== undefined && context > longest)
      throw new TilewrightError(
        'invalid-argument',
        `context: expected at most ${longest}, for which ${this.files.name} is made, got ${context}`,
      );
    return {
      layers: this.need(names.layers),
      ...{ width, heads },
      inner: this.need(names.inner),
      vocabulary: this.need('vocab_size'),
      context: context ?? longest,
    };
  }
}
