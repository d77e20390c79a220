import { flag, oneOf, type Rule } from '../../options.ts';
import { ACTIVATION, DecoderConfig, POSITIVE, SIZE } from '../decoder/config.ts';
import { decoderFamily, llamaNames, normalizedNames } from '../decoder/family.ts';
import type { LayerNames } from '../decoder/shape.ts';
import type { LoadOptions, ModelFiles } from '../model.ts';
import type { TextFamily } from '../text-family.ts';

export const groups = ['decoder', 'normalization'] as const;

const LATER: Readonly<Record<string, Rule>> = {
  query_pre_attn_scalar: POSITIVE,
  attn_logit_softcapping: POSITIVE,
  final_logit_softcapping: POSITIVE,
  use_bidirectional_attention: oneOf(false),
};
const OWN: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  gemma: {},
  gemma2: LATER,
  gemma3_text: {
    ...LATER,
    rope_local_base_freq: POSITIVE,
    sliding_window_pattern: SIZE,
    _sliding_window_pattern: SIZE,
  },
};

/** Both blocks are normalised before and after, from Gemma 2 on. */
const aroundNames = (layer: string): Partial<LayerNames> => ({
  afterAttention: `${layer}.post_attention_layernorm`,
  beforeMlp: `${layer}.pre_feedforward_layernorm`,
  afterMlp: `${layer}.post_feedforward_layernorm`,
});

/**
 * Gemma 1 to 3 (Gemma Team 2024, 2025), the text alone: the table's rows are scaled by sqrt(width), weights of normalisations are
 * stored less 1. Gemma 2 has windows in every second layer and caps scores and logits; Gemma 3 has a layer of all keys after
 * five with windows, whose positions turn faster, and normalises queries and keys.
 */
export function family(files: ModelFiles, options: LoadOptions): TextFamily {
  const type = String(files.config?.['model_type']);
  const config = new DecoderConfig(
    files,
    { ...OWN[type], hidden_activation: ACTIVATION, use_cache: flag },
    'model.',
    'embed_tokens',
  );
  const sizes = config.sizes(options, 256);
  const { layers, headSize, context, width } = sizes;
  const third = type === 'gemma3_text';
  const windows =
    type === 'gemma' ? [] : config.windows(layers, config.unlessNull('sliding_window', 4096), slides(config, third));
  const far = config.rotary(headSize, context, config.get('rope_theta', third ? 1e6 : 10000));
  const near = third
    ? config.rotary(headSize, context, config.get('rope_local_base_freq', 10000), {
        layers: 'sliding_attention',
        scaled: config.said('rope_scaling') === undefined,
      })
    : far;
  const bias = config.get('attention_bias', false);
  const caps = type !== 'gemma';
  return decoderFamily(config, {
    ...sizes,
    names: llamaNames((layer) => ({ ...(caps && aroundNames(layer)), ...(third && normalizedNames(layer)) })),
    activation: activationOf(config),
    epsilon: config.get('rms_norm_eps', 1e-6),
    normOffset: 1,
    queryNorm: third ? 'head' : undefined,
    biases: { qkv: bias, output: bias, mlp: false },
    scale: 1 / Math.sqrt(caps ? config.get('query_pre_attn_scalar', 256) : headSize),
    softcap: config.unlessNull('attn_logit_softcapping', type === 'gemma2' ? 50 : undefined),
    logitSoftcap: config.unlessNull('final_logit_softcapping', type === 'gemma2' ? 30 : undefined),
    embeddingScale: Math.fround(Math.sqrt(width)),
    tied: config.get('tie_word_embeddings', true),
    layer: (i) => ({ window: windows[i], rotary: windows[i] === undefined ? far : near }),
  });
}

/** Gemma 1 was published as `gelu`, and means the form by tanh. */
function activationOf(config: DecoderConfig): string {
  const said: string = config.get(config.type === 'gemma' ? 'hidden_act' : 'hidden_activation', 'gelu_pytorch_tanh');
  return config.type === 'gemma' && said === 'gelu' ? 'gelu_pytorch_tanh' : said;
}

/** Which layers have windows where layer_types does not say it. */
function slides(config: DecoderConfig, third: boolean): (index: number) => boolean {
  const every = third ? config.get('sliding_window_pattern', config.get('_sliding_window_pattern', 6)) : 2;
  return (i) => (i + 1) % every !== 0;
}
