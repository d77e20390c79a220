import { flag, integer, list, number, object, oneOf } from '../../options.ts';
import type { Fields } from '../config.ts';
import { type Frequencies, frequencies } from '../decoder/rotary.ts';
import { ACTIVATION, EncoderConfig, SIZE } from '../encoder/config.ts';
import type { EncoderFamily, EncoderLayer, HeadStep } from '../encoder/shape.ts';
import type { LoadOptions, ModelFiles } from '../model.ts';

export const groups = ['rotary', 'decoder'] as const;

const OWN = {
  hidden_activation: ACTIVATION,
  classifier_activation: ACTIVATION,
  norm_eps: number(0),
  norm_bias: flag,
  attention_bias: flag,
  mlp_bias: flag,
  decoder_bias: flag,
  classifier_bias: flag,
  classifier_pooling: oneOf('cls', 'mean'),
  local_attention: SIZE,
  global_attn_every_n_layers: SIZE,
  layer_types: list(oneOf('full_attention', 'sliding_attention')),
  rope_parameters: object,
  rope_scaling: object,
  global_rope_theta: number(0),
  local_rope_theta: number(0),
  pad_token_id: integer(0),
};

/**
 * ModernBERT (Warner et al. 2024): positions turn queries and keys, most layers see `local_attention` tokens around each, MLPs are gated,
 * and blocks normalise what they read. The first layer's attention reads what the table's normalisation gives.
 */
export function encoder(files: ModelFiles, options: LoadOptions): EncoderFamily {
  const table = 'embeddings.tok_embeddings';
  const config = new EncoderConfig(files, OWN, 'model.', table);
  const sizes = config.sizes(options);
  const { layers, width, heads } = sizes;
  const every = config.get('global_attn_every_n_layers', 3);
  const kinds =
    config.said<readonly string[]>('layer_types') ??
    Array.from({ length: layers }, (_, i) => (i % every ? 'sliding_attention' : 'full_attention'));
  if (kinds.length !== layers) config.fail(`layer_types: expected ${layers} of them, got ${kinds.length}`);
  const rotary: Readonly<Record<string, Frequencies>> = {
    full_attention: turning('full_attention', config.get('global_rope_theta', 160_000)),
    sliding_attention: turning('sliding_attention', config.get('local_rope_theta', 10_000)),
  };
  function turning(kind: string, otherwise: number): Frequencies {
    const scaling = {
      ...config.get<Readonly<Record<string, Fields>>>('rope_parameters', {})[kind],
      ...config.said<Fields>('rope_scaling'),
    };
    const theta = (scaling['rope_theta'] ?? otherwise) as number;
    const trained = config.need('max_position_embeddings');
    const where = `${files.name}: config.json: rope_parameters`;
    return frequencies({ where, size: width / heads, theta, scaling, trained, original: undefined }, sizes.context);
  }
  const names = (index: number): EncoderLayer => {
    const layer = `layers.${index}`;
    const sliding = kinds[index] === 'sliding_attention';
    return {
      qkv: { name: `${layer}.attn.Wqkv` },
      output: `${layer}.attn.Wo`,
      up: `${layer}.mlp.Wi`,
      down: `${layer}.mlp.Wo`,
      attentionNorm: index ? `${layer}.attn_norm` : undefined,
      mlpNorm: `${layer}.mlp_norm`,
      reach: sliding ? config.get('local_attention', 128) >> 1 : undefined,
      rotary: rotary[kinds[index]!],
    };
  };
  const attention = config.get('attention_bias', false);
  const { weights } = config;
  const first: HeadStep = {
    weight: 'head.dense',
    bias: config.get('classifier_bias', false) ? 'head.dense.bias' : undefined,
    activation: config.get('classifier_activation', 'gelu'),
    norm: 'head.norm',
  };
  const classifier = [first, { weight: 'classifier', bias: 'classifier.bias' }];
  const tied = config.get('tie_word_embeddings', true);
  const bias = config.get('decoder_bias', true) ? 'decoder.bias' : undefined;
  return {
    architecture: config.type,
    ...{ config, weights },
    shape: {
      ...sizes,
      activation: config.get('hidden_activation', 'gelu'),
      epsilon: config.get('norm_eps', 1e-5),
      normalized: 'inputs',
      gated: true,
      biases: {
        ...{ qkv: attention, output: attention, mlp: config.get('mlp_bias', false) },
        norm: config.get('norm_bias', false),
      },
      names: { table, tableNorm: 'embeddings.norm', norm: 'final_norm' },
      layer: names,
    },
    classifiedBy: config.said('classifier_pooling') === 'mean' ? 'all' : 'first',
    heads: {
      'text-classification': classifier,
      'token-classification': classifier,
      'question-answering': classifier,
      'fill-mask': [first, { weight: tied ? weights.prefix + table : 'decoder', bias }],
    },
  };
}
