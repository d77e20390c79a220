import { flag, integer, list, oneOf, type Rule } from '../../options.ts';
import { DecoderConfig, POSITIVE, SIZE } from '../decoder/config.ts';
import { decoderFamily, llamaNames, normalizedNames } from '../decoder/family.ts';
import type { LoadOptions, ModelFiles } from '../model.ts';
import type { TextFamily } from '../text-family.ts';

export const groups = ['decoder', 'normalization'] as const;

const WINDOWED = { use_sliding_window: flag, max_window_layers: integer(0) };

/** Fields of a config beside those that all decoders have. */
const OWN: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  granite: {
    embedding_multiplier: POSITIVE,
    residual_multiplier: POSITIVE,
    attention_multiplier: POSITIVE,
    logits_scaling: POSITIVE,
  },
  qwen2: WINDOWED,
  qwen3: WINDOWED,
  smollm3: { use_sliding_window: flag, no_rope_layers: list(oneOf(0, 1)), no_rope_layer_interval: SIZE },
};

/**
 * Llama (Touvron et al. 2023), and the models that are Llama but for an option: Mistral and Qwen2 (windows, biases), Qwen3
 * (queries and keys are normalised by head), SmolLM3 (layers without positions), Granite (factors). As transformers computes them.
 */
export function family(files: ModelFiles, options: LoadOptions): TextFamily {
  const type = String(files.config?.['model_type']);
  const config = new DecoderConfig(files, OWN[type] ?? {}, 'model.', 'embed_tokens');
  const qwen3 = type === 'qwen3';
  const sizes = config.sizes(options, { qwen3: 128 }[type], { mistral: 8, smollm3: 4 }[type]);
  const { layers, headSize, context } = sizes;
  const rotary = config.rotary(headSize, context, config.get('rope_theta', type === 'smollm3' ? 2e6 : 10000));
  const turned = turningLayers(config, layers);
  const windows = windowsOf(config, layers, turned);
  const bias = config.get('attention_bias', false);
  return decoderFamily(config, {
    ...sizes,
    names: llamaNames(qwen3 ? normalizedNames : undefined),
    activation: config.get('hidden_act', 'silu'),
    epsilon: config.get('rms_norm_eps', 1e-6),
    queryNorm: qwen3 ? 'head' : undefined,
    biases:
      type === 'qwen2'
        ? { qkv: true, output: false, mlp: false }
        : { qkv: bias, output: bias, mlp: config.get('mlp_bias', false) },
    scale: type === 'granite' ? config.get('attention_multiplier', 1) : 1 / Math.sqrt(headSize),
    embeddingScale: config.get('embedding_multiplier', 1),
    residualScale: config.get('residual_multiplier', 1),
    logitScale: 1 / config.get('logits_scaling', 1),
    tied: config.get('tie_word_embeddings', type === 'smollm3'),
    layer: (i) => ({ window: windows[i], rotary: turned[i] ? rotary : undefined }),
  });
}

/** Whether each layer knows positions. */
function turningLayers(config: DecoderConfig, layers: number): boolean[] {
  const every = config.type === 'smollm3' ? config.get('no_rope_layer_interval', 4) : Number.POSITIVE_INFINITY;
  const said = config.said<readonly number[]>('no_rope_layers');
  if (said && said.length !== layers) config.fail(`no_rope_layers: expected ${layers} of them, got ${said.length}`);
  return Array.from({ length: layers }, (_, i) => (said ? said[i] === 1 : (i + 1) % every !== 0));
}

/** The window of each layer. */
function windowsOf(config: DecoderConfig, layers: number, turned: readonly boolean[]): (number | undefined)[] {
  const { type } = config;
  const none = new Array<undefined>(layers).fill(undefined);
  if (type === 'mistral') return new Array(layers).fill(config.unlessNull('sliding_window', 4096));
  const slides = config.get('use_sliding_window', false);
  if (!slides) return none;
  const window = config.unlessNull('sliding_window', type === 'smollm3' ? undefined : 4096);
  const from = config.get('max_window_layers', 28);
  return config.windows(layers, window, (i) =>
    type === 'smollm3' ? window !== undefined && !turned[i] : window !== undefined && i >= from,
  );
}
