import { DecoderConfig } from '../decoder/config.ts';
import { decoderFamily, llamaNames } from '../decoder/family.ts';
import type { LoadOptions, ModelFiles } from '../model.ts';
import type { TextFamily } from '../text-family.ts';

export const groups = ['decoder', 'normalization'] as const;

/** Phi-3 and Phi-4-mini (Abdin et al. 2024): query, key and value are one tensor, gate and up another. */
export function family(files: ModelFiles, options: LoadOptions): TextFamily {
  const { original_max_position_embeddings = 4096 } = files.config ?? {};
  const config = new DecoderConfig(
    { ...files, config: { ...files.config, original_max_position_embeddings } },
    {},
    'model.',
    'embed_tokens',
  );
  const sizes = config.sizes(options);
  const { headSize, context } = sizes;
  const window = config.said<number>('sliding_window');
  const rotary = config.rotary(headSize, context, config.get('rope_theta', 10000));
  return decoderFamily(config, {
    ...sizes,
    names: llamaNames(),
    activation: config.get('hidden_act', 'silu'),
    epsilon: config.get('rms_norm_eps', 1e-5),
    scale: 1 / Math.sqrt(headSize),
    tied: config.get('tie_word_embeddings', false),
    layer: () => ({ window, rotary }),
  });
}
