import type { Packed } from '../packed.ts';
import type { TextFamily } from '../text-family.ts';
import type { DecoderConfig } from './config.ts';
import { DecoderGraph } from './graph.ts';
import { angleTables, type Frequencies } from './rotary.ts';
import type { DecoderShape, DecoderSizes, LayerNames } from './shape.ts';

/** Where a shape says nothing else: what Llama has. */
const PLAIN = {
  activation: 'silu',
  epsilon: 1e-6,
  norm: 'rms',
  normOffset: 0,
  gated: true,
  parallel: false,
  biases: { qkv: false, output: false, mlp: false },
  embeddingScale: 1,
  residualScale: 1,
  logitScale: 1,
} as const;

/** A shape whose options may be left out where they are Llama's. */
export type ShapeOptions = Partial<Pick<DecoderShape, keyof typeof PLAIN>> & Omit<DecoderShape, keyof typeof PLAIN>;

/** The family's model of a folder: its graphs share their tables of angles. */
export function decoderFamily({ type, weights }: DecoderConfig, options: ShapeOptions): TextFamily {
  const shape: DecoderShape = { ...PLAIN, ...options };
  const made = new Map<Frequencies, ReturnType<typeof angleTables>>();
  const tables = (frequencies: Frequencies): ReturnType<typeof angleTables> => {
    const known = made.get(frequencies) ?? angleTables(frequencies, shape.context);
    made.set(frequencies, known);
    return known;
  };
  const { layers, width, heads, kvHeads, headSize, inner, vocabulary, context } = shape;
  const sizes: DecoderSizes = { layers, width, heads, kvHeads, headSize, inner, vocabulary, context };
  return {
    architecture: type,
    shape: sizes,
    weights,
    graph: (options) => DecoderGraph.of(weights, shape, tables, options),
  };
}

/** What Llama's tensors are called. A layer's names may be others, or not there. */
export const llamaNames = (other: (layer: string) => Partial<LayerNames> = () => ({})): DecoderShape['names'] => ({
  prefix: 'model.',
  table: 'embed_tokens',
  norm: 'norm',
  head: 'lm_head',
  layer(index) {
    const layer = `layers.${index}`;
    const packed = (name: string, ...rows: string[]): Packed => ({
      name: `${layer}.${name}`,
      rows: rows.map((row) => ({ name: `${layer}.${row}` })),
    });
    return {
      beforeAttention: `${layer}.input_layernorm`,
      qkv: packed('self_attn.qkv_proj', 'self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'),
      output: `${layer}.self_attn.o_proj`,
      beforeMlp: `${layer}.post_attention_layernorm`,
      up: packed('mlp.gate_up_proj', 'mlp.gate_proj', 'mlp.up_proj'),
      down: `${layer}.mlp.down_proj`,
      ...other(layer),
    };
  },
});

/** The names where queries and keys are normalised. */
export const normalizedNames = (layer: string): Pick<LayerNames, 'norms'> => ({
  norms: { query: `${layer}.self_attn.q_norm`, key: `${layer}.self_attn.k_norm` },
});
