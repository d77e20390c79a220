import { flag, number } from '../../options.ts';
import { DecoderConfig, POSITIVE } from '../decoder/config.ts';
import { decoderFamily } from '../decoder/family.ts';
import type { LayerNames } from '../decoder/shape.ts';
import type { LoadOptions, ModelFiles } from '../model.ts';
import type { TextFamily } from '../text-family.ts';

export const groups = ['decoder'] as const;

/**
 * GPT-NeoX (Black et al. 2022) and Pythia: a part of each head is turned, attention and MLP read the same, and the rows of
 * query, key and value take turns by head.
 */
export function family(files: ModelFiles, options: LoadOptions): TextFamily {
  const own = {
    rotary_pct: POSITIVE,
    rotary_emb_base: POSITIVE,
    use_parallel_residual: flag,
    layer_norm_eps: number(0),
  };
  const config = new DecoderConfig(files, own, 'gpt_neox.', 'embed_in');
  const sizes = config.sizes(options);
  const { heads, headSize, context } = sizes;
  if (sizes.kvHeads !== heads) config.fail(`num_key_value_heads: expected ${heads}, got ${sizes.kvHeads}`);
  const share = config.get('rotary_pct', 0.25);
  const rotary = config.rotary(headSize, context, config.get('rotary_emb_base', 10000), { share });
  const bias = config.get('attention_bias', true);
  const layerNames = (index: number): LayerNames => {
    const layer = `layers.${index}`;
    const name = `${layer}.attention.query_key_value`;
    const rowsOf = (which: number) => (_: unknown, head: number) => ({
      name,
      from: (3 * head + which) * headSize,
      count: headSize,
    });
    return {
      beforeAttention: `${layer}.input_layernorm`,
      qkv: {
        name: `${layer}.attention.qkv`,
        rows: [0, 1, 2].flatMap((which) => Array.from({ length: heads }, rowsOf(which))),
      },
      output: `${layer}.attention.dense`,
      beforeMlp: `${layer}.post_attention_layernorm`,
      up: { name: `${layer}.mlp.dense_h_to_4h` },
      down: `${layer}.mlp.dense_4h_to_h`,
    };
  };
  return decoderFamily(config, {
    ...sizes,
    names: { prefix: 'gpt_neox.', table: 'embed_in', norm: 'final_layer_norm', head: 'embed_out', layer: layerNames },
    activation: config.get('hidden_act', 'gelu'),
    epsilon: config.get('layer_norm_eps', 1e-5),
    norm: 'layer',
    gated: false,
    parallel: config.get('use_parallel_residual', true),
    biases: { qkv: bias, output: bias, mlp: true },
    scale: 1 / Math.sqrt(headSize),
    tied: config.get('tie_word_embeddings', false),
    layer: () => ({ rotary }),
  });
}
