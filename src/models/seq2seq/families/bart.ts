import { flag, oneOf, type Rule } from '../../../options.ts';
import type { LoadOptions, ModelFiles } from '../../model.ts';
import { ACTIVATION, LAYERS, ON, Seq2SeqConfig, type Seq2SeqFamily, SIZE } from '../config.ts';
import type { AttentionNames, BlockNames, StackShape } from '../shape.ts';

/** Fields of the configs of BART and what came of it. */
export const BART_FIELDS: Readonly<Record<string, Rule>> = {
  activation_function: ACTIVATION,
  scale_embedding: flag,
  tie_word_embeddings: ON,
  max_position_embeddings: SIZE,
  ...{ encoder_layers: LAYERS, decoder_layers: LAYERS },
  ...{ encoder_attention_heads: SIZE, decoder_attention_heads: SIZE },
  ...{ encoder_ffn_dim: SIZE, decoder_ffn_dim: SIZE },
  // What older configs say of blocks that are not computed.
  ...{ normalize_before: oneOf(false), add_final_layer_norm: oneOf(false), add_bias_logits: oneOf(false) },
  extra_pos_embeddings: oneOf(2),
};

const FIELDS: Readonly<Record<string, Record<string, Rule>>> = {
  bart: { normalize_embedding: ON, static_position_embeddings: oneOf(false) },
  marian: {
    normalize_embedding: oneOf(false),
    static_position_embeddings: ON,
    share_encoder_decoder_embeddings: ON,
    decoder_vocab_size: SIZE,
  },
};

/** The names of a block of BART's. */
export function bartBlock(stack: string, index: number): BlockNames {
  const block = `${stack}.layers.${index}`;
  const attention = (name: string): AttentionNames => ({
    query: `${block}.${name}.q_proj`,
    key: `${block}.${name}.k_proj`,
    value: `${block}.${name}.v_proj`,
    output: `${block}.${name}.out_proj`,
    norm: `${block}.${name}_layer_norm`,
  });
  return {
    self: attention('self_attn'),
    ...(stack.endsWith('decoder') && { cross: attention('encoder_attn') }),
    up: { name: `${block}.fc1` },
    down: `${block}.fc2`,
    norm: `${block}.final_layer_norm`,
  };
}

/** Sizes and names of a stack of BART's: `encoder` or `decoder`. */
export function bartStack(config: Seq2SeqConfig, stack: string): Omit<StackShape, 'length' | 'positions' | 'norms'> {
  const heads = config.need(`${stack}_attention_heads`);
  return {
    layers: config.need(`${stack}_layers`),
    heads,
    headSize: config.headSize(heads),
    inner: config.need(`${stack}_ffn_dim`),
    block: (index) => bartBlock(`model.${stack}`, index),
  };
}

/** BART (Lewis et al. 2019): blocks normalise what they give. Marian (Junczys-Dowmunt et al. 2018) has sines for positions. */
export function family(files: ModelFiles, options: LoadOptions): Seq2SeqFamily {
  const type = String(files.config?.['model_type']);
  const config = new Seq2SeqConfig(files, { ...BART_FIELDS, ...FIELDS[type] });
  const bart = type === 'bart';
  const vocabulary = config.need('vocab_size');
  if (config.get('decoder_vocab_size', vocabulary) !== vocabulary)
    config.fail(`decoder_vocab_size: expected ${vocabulary}, that of the encoder`);
  const most = config.need('max_position_embeddings');
  const stack = (name: string, length: number): StackShape => {
    const table = `model.${name}.embed_positions`;
    const stored = bart || config.weights.has(`${table}.weight`);
    return {
      ...bartStack(config, name),
      length,
      positions: stored ? { kind: 'table', name: table, offset: bart ? 2 : 0 } : { kind: 'sinusoidal' },
      norms: bart ? { before: `model.${name}.layernorm_embedding` } : {},
    };
  };
  const width = config.need('d_model');
  return config.family({
    ...{ width, vocabulary },
    encoder: stack('encoder', most),
    decoder: stack('decoder', config.length(most, options)),
    normFirst: false,
    norm: 'layer',
    epsilon: 1e-5,
    activation: config.get('activation_function', 'gelu'),
    gated: false,
    biases: { key: true, others: true },
    embeddingScale: config.get('scale_embedding', false) ? Math.sqrt(width) : 1,
    headScale: 1,
    table: 'model.shared',
    copies: ['model.encoder.embed_tokens', 'model.decoder.embed_tokens', 'lm_head'],
    logitBias: 'final_logits_bias',
  });
}
