import { flag, oneOf, type Rule, shown, text } from '../../../options.ts';
import { ACTIVATIONS } from '../../activation-names.ts';
import type { LoadOptions, ModelFiles } from '../../model.ts';
import { EPSILON, LAYERS, Seq2SeqConfig, type Seq2SeqFamily, SIZE } from '../config.ts';
import type { AttentionNames, BlockNames, StackShape } from '../shape.ts';

const FIELDS: Readonly<Record<string, Rule>> = {
  ...{ d_kv: SIZE, d_ff: SIZE, num_heads: SIZE, num_layers: LAYERS, num_decoder_layers: LAYERS },
  ...{ relative_attention_num_buckets: SIZE, relative_attention_max_distance: SIZE },
  layer_norm_epsilon: EPSILON,
  feed_forward_proj: text,
  ...{ dense_act_fn: text, is_gated_act: flag },
  tie_word_embeddings: flag,
  scale_decoder_outputs: flag,
  n_positions: SIZE,
  is_encoder_decoder: oneOf(true),
};

/** Tokens of a text where the config does not say for how many the model was made. */
const POSITIONS = 512;

function blockOf(stack: string, index: number): BlockNames {
  const at = (layer: number, name: string): string => `${stack}.block.${index}.layer.${layer}.${name}`;
  const attention = (layer: number, name: string): AttentionNames => ({
    query: at(layer, `${name}.q`),
    key: at(layer, `${name}.k`),
    value: at(layer, `${name}.v`),
    output: at(layer, `${name}.o`),
    norm: at(layer, 'layer_norm'),
  });
  const last = stack === 'decoder' ? 2 : 1;
  const mlp = (name: string): string => at(last, `DenseReluDense.${name}`);
  return {
    self: attention(0, 'SelfAttention'),
    ...(stack === 'decoder' && { cross: attention(1, 'EncDecAttention') }),
    up: { name: mlp('wi'), rows: [{ name: mlp('wi_0') }, { name: mlp('wi_1') }] },
    down: mlp('wo'),
    norm: at(last, 'layer_norm'),
  };
}

/** T5 (Raffel et al. 2019), and 1.1 of it, whose MLPs are gated and whose head is its own: flan-T5 and mT5. */
export function family(files: ModelFiles, { context }: LoadOptions): Seq2SeqFamily {
  const config = new Seq2SeqConfig(files, FIELDS);
  const [width, heads, layers] = [config.need('d_model'), config.need('num_heads'), config.need('num_layers')];
  const length = context ?? config.get('n_positions', POSITIONS);
  const { gated, activation } = activationOf(config);
  const scaled = config.get<boolean>('scale_decoder_outputs', config.get<boolean>('tie_word_embeddings', true));
  const stack = (name: string, layers: number): StackShape => ({
    ...{ layers, heads, length },
    headSize: config.get('d_kv', 64),
    inner: config.need('d_ff'),
    positions: {
      kind: 'relative',
      name: `${name}.block.0.layer.0.SelfAttention.relative_attention_bias`,
      buckets: config.get('relative_attention_num_buckets', 32),
      distance: config.get('relative_attention_max_distance', 128),
    },
    norms: { after: `${name}.final_layer_norm` },
    block: (index) => blockOf(name, index),
  });
  const own = !scaled && config.weights.has('lm_head.weight');
  return config.family({
    ...{ width, vocabulary: config.need('vocab_size') },
    encoder: stack('encoder', layers),
    decoder: stack('decoder', config.get('num_decoder_layers', layers)),
    normFirst: true,
    norm: 'rms',
    epsilon: config.get('layer_norm_epsilon', 1e-6),
    ...{ activation, gated },
    biases: { key: false, others: false },
    scale: 1,
    embeddingScale: 1,
    headScale: scaled ? width ** -0.5 : 1,
    table: 'shared',
    copies: ['encoder.embed_tokens', 'decoder.embed_tokens', ...(own ? [] : ['lm_head'])],
    ...(own && { head: 'lm_head' }),
  });
}

/** What feed_forward_proj says: `relu`, `gated-gelu`. Error: `unsupported-option`. */
function activationOf(config: Seq2SeqConfig): { gated: boolean; activation: string } {
  const said = config.get<string>('feed_forward_proj', 'relu');
  const [, gate, name] = /^(gated-)?([^-]+)$/.exec(said) ?? [];
  const activation = said === 'gated-gelu' ? 'gelu_new' : (name ?? said);
  const gated = gate !== undefined;
  if (!Object.hasOwn(ACTIVATIONS, activation))
    config.fail(
      `feed_forward_proj: expected gated- or not, and one of ${Object.keys(ACTIVATIONS).join(', ')}, got ${shown(said)}`,
    );
  for (const [field, wanted] of [
    ['dense_act_fn', activation],
    ['is_gated_act', gated],
  ] as const) {
    const other = config.get<unknown>(field, wanted);
    if (other !== wanted)
      config.fail(`${field}: expected ${shown(wanted)}, as feed_forward_proj says, got ${shown(other)}`);
  }
  return { gated, activation };
}
