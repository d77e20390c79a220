import { DecoderConfig } from '../decoder/config.ts';
import { decoderFamily, llamaNames, normalizedNames } from '../decoder/family.ts';
import type { LayerNames } from '../decoder/shape.ts';
import type { LoadOptions, ModelFiles } from '../model.ts';
import type { TextFamily } from '../text-family.ts';

export const groups = ['decoder', 'normalization', 'rotary'] as const;

/** OLMo 2 (OLMo Team 2024): what a block gives is normalised, not what it reads; queries and keys are, all heads as one row. */
export function family(files: ModelFiles, options: LoadOptions): TextFamily {
  const config = new DecoderConfig(files, {}, 'model.', 'embed_tokens');
  const sizes = config.sizes(options);
  const { headSize, context } = sizes;
  const rotary = config.rotary(headSize, context, config.get('rope_theta', 10000));
  const bias = config.get('attention_bias', false);
  const names = llamaNames();
  return decoderFamily(config, {
    ...sizes,
    names: {
      ...names,
      layer(index): LayerNames {
        const layer = `layers.${index}`;
        const { beforeAttention: _before, beforeMlp: _between, ...others } = names.layer(index);
        return {
          ...others,
          ...normalizedNames(layer),
          afterAttention: `${layer}.post_attention_layernorm`,
          afterMlp: `${layer}.post_feedforward_layernorm`,
        };
      },
    },
    activation: config.get('hidden_act', 'silu'),
    epsilon: config.get('rms_norm_eps', 1e-5),
    queryNorm: 'row',
    biases: { qkv: bias, output: bias, mlp: false },
    scale: 1 / Math.sqrt(headSize),
    tied: config.get('tie_word_embeddings', false),
    layer: () => ({ rotary }),
  });
}
