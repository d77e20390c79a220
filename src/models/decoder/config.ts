import { TilewrightError } from '../../errors.ts';
import { flag, integer, list, number, object, off, oneOf, type Rule, shown } from '../../options.ts';
import { ACTIVATIONS } from '../activation-names.ts';
import { Config, type Fields } from '../config.ts';
import type { LoadOptions, ModelFiles } from '../model.ts';
import { Weights } from '../weights.ts';
import { type Frequencies, frequencies, type RotaryConfig, reach } from './rotary.ts';
import type { DecoderSizes } from './shape.ts';

export const SIZE: Rule = integer(1);
const POSITIVE: Rule = ['a number above 0', (value) => typeof value === 'number' && value > 0];
const NOTHING: Rule = [
  'nothing',
  (value) => value === false || (typeof value === 'object' && !Object.keys(value as object).length),
];
export const ACTIVATION: Rule = oneOf(...Object.keys(ACTIVATIONS));
export { POSITIVE };

/** What every decoder's config may say that changes the result. */
const COMMON: Readonly<Record<string, Rule>> = {
  hidden_act: ACTIVATION,
  vocab_size: SIZE,
  hidden_size: SIZE,
  intermediate_size: SIZE,
  num_hidden_layers: integer(1, 10_000),
  num_attention_heads: SIZE,
  num_key_value_heads: SIZE,
  head_dim: SIZE,
  max_position_embeddings: SIZE,
  rms_norm_eps: number(0),
  rope_theta: POSITIVE,
  rope_scaling: object,
  rope_parameters: object,
  partial_rotary_factor: POSITIVE,
  original_max_position_embeddings: SIZE,
  tie_word_embeddings: flag,
  layer_types: list(oneOf('full_attention', 'sliding_attention')),
  attention_bias: flag,
  mlp_bias: flag,
  sliding_window: SIZE,
  // What is not computed.
  add_cross_attention: off,
  is_encoder_decoder: off,
  quantization_config: NOTHING,
  pruned_heads: NOTHING,
};

/** Fields of other decoders of transformers. A config that sets one of them asks what is not computed here. */
const FOREIGN =
  /^(num_(local_)?experts(_per_tok)?|n_routed_experts|moe_|kv_lora_rank|q_lora_rank|qk_(nope|rope)_head_dim|v_head_dim|clip_qkv|use_(mrope|qk_norm|bidirectional_attention|sliding_window|parallel_residual)|qk_layernorm|layer_norm_elementwise_affine|attn_logit_softcapping|final_logit_softcapping|query_pre_attn_scalar|(embedding|residual|attention)_multiplier|logits_scaling|logit_scale|rotary_(pct|emb_base|dim)|no_rope_layers|no_rope_layer_interval|rope_interleaved|parallel_attn|alibi|attention_chunk_size|attn_temperature_tuning|num_kv_shared_layers|altup_|laurel_|hidden_size_per_layer_input|vision_config|text_config)/;

const nothing: Rule = ['nothing', (value) => value === false || value === 0];

interface RotaryOptions {
  /** The share of a head that is turned; partial_rotary_factor where absent. */
  readonly share?: number;
  /** The kind of layers. */
  readonly layers?: string;
  /** Whether rope_scaling holds. */
  readonly scaled?: boolean;
}

/** The config of a decoder, with its tensors. */
export class DecoderConfig extends Config {
  readonly weights: Weights;

  /** Errors: `unsupported-option`, `unknown-architecture`. `own`: rules of the family. `prefix`: before the names of tensors. */
  constructor(files: ModelFiles, own: Readonly<Record<string, Rule>>, prefix: string, table: string) {
    const rules: Record<string, Rule> = { ...COMMON, ...own };
    for (const key of Object.keys(files.config ?? {}))
      if (!Object.hasOwn(rules, key) && FOREIGN.test(key)) rules[key] = nothing;
    super(files, rules);
    const { checkpoint } = files;
    this.weights = new Weights(checkpoint, checkpoint.tensors.has(`${prefix}${table}.weight`) ? prefix : '');
  }

  /**
   * Sizes as the config says them. `context`: as the load's option says it, else as many as the angles do not depend on, 4096 at
   * the most. Errors: `wrong-shape`, `invalid-argument`.
   */
  sizes({ context }: LoadOptions, headSize?: number, shared?: number): DecoderSizes {
    const [width, heads] = [this.need('hidden_size'), this.need('num_attention_heads')];
    const kvHeads = this.unlessNull('num_key_value_heads', shared) ?? heads;
    const size = this.get('head_dim', headSize ?? width / heads);
    if (!Number.isInteger(size) || size > MOST_OF_HEAD)
      this.#mismatch(`hidden_size ${width} does not divide into ${heads} heads`);
    if (heads % kvHeads) this.#mismatch(`${heads} heads do not share ${kvHeads} heads of keys and values evenly`);
    const { longest, plain } = reach(this.#rotaryConfig(size, 1));
    if (context !== undefined && context > longest)
      throw new TilewrightError(
        'invalid-argument',
        `context: expected at most ${longest}, for which ${this.files.name} is made, got ${context}`,
      );
    return {
      layers: this.need('num_hidden_layers'),
      ...{ width, heads, kvHeads, headSize: size },
      inner: this.need('intermediate_size'),
      vocabulary: this.need('vocab_size'),
      context: context ?? Math.min(plain, DEFAULT_CONTEXT),
    };
  }

  #mismatch(message: string): never {
    throw new TilewrightError('wrong-shape', `${this.where}: ${message}`);
  }

  /** Frequencies of rotary embedding: by rope_scaling, or rope_parameters and what it has for a kind of layers. */
  rotary(headSize: number, context: number, theta: number, how: RotaryOptions = {}): Frequencies {
    const { share = this.get('partial_rotary_factor', 1), layers, scaled = true } = how;
    const { scaling, ...config } = this.#rotaryConfig(headSize, theta, layers);
    const used = scaled ? scaling : {};
    const part = (used['partial_rotary_factor'] ?? share) as number;
    const size = Math.trunc(headSize * part);
    if (size < 2 || size % 2)
      this.fail(`${size} of ${headSize} elements of a head are turned, expected an even number from 2 on`);
    return frequencies({ ...config, scaling: used, size, theta: (used['rope_theta'] ?? theta) as number }, context);
  }

  #rotaryConfig(size: number, theta: number, layers = 'full_attention'): RotaryConfig {
    const own = this.said<Fields>('rope_scaling');
    const all = this.get<Fields>('rope_parameters', {});
    const scaling = own ?? (all[layers] as Fields | undefined) ?? all;
    return {
      where: `${this.where}: ${own ? 'rope_scaling' : 'rope_parameters'}`,
      ...{ size, theta, scaling },
      trained: this.need('max_position_embeddings'),
      original: this.said('original_max_position_embeddings'),
    };
  }

  /** Whether each layer has a window: as layer_types says it, else as `otherwise` does. */
  windows(layers: number, window: number | undefined, otherwise: (index: number) => boolean): (number | undefined)[] {
    const types = this.said<readonly string[]>('layer_types');
    if (types && types.length !== layers) this.fail(`layer_types: expected ${layers} of them, got ${types.length}`);
    return Array.from({ length: layers }, (_, i) => {
      const slides = types ? types[i] === 'sliding_attention' : otherwise(i);
      if (slides && window === undefined)
        this.fail(`sliding_window: expected a number, got ${shown(this.files.config?.['sliding_window'])}`);
      return slides ? window : undefined;
    });
  }
}

/** Elements of a head at the most: tables of angles are made of so many. */
const MOST_OF_HEAD = 4096;

/** Rows of a cache where neither the model nor the load says fewer. */
const DEFAULT_CONTEXT = 4096;
