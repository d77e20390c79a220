import { TilewrightError } from '../errors.ts';
import { GraphBuilder } from '../graph/builder.ts';
import type { Graph, Operand } from '../graph/ir.ts';
import { checkFields, flag, integer, number, off, oneOf, type Rule, shown } from '../options.ts';
import { ACTIVATIONS } from './activation-names.ts';
import { gpt2Prefix } from './detect.ts';
import type { LoadOptions, ModelFiles } from './model.ts';
import { textOutputs } from './sampled.ts';
import type { TextFamily, TextGraphOptions, TextShape } from './text-family.ts';
import { GraphWeights, Weights } from './weights.ts';

/** The sizes of a GPT-2, from its config and its tensors. */
export interface Gpt2Shape extends TextShape {
  /** As ACTIVATIONS names it. */
  readonly activation: string;
  readonly epsilon: number;
  /** The last product's weight is the table of tokens, even where the file has another. */
  readonly tied: boolean;
  /** 1 / sqrt(head size), unless the config turns it off. */
  readonly scale: (layer: number) => number;
}

const SIZE = integer(1);

/**
 * Fields of GPT2Config that change the result: what they may be. Other names of sizes are those of transformers'
 * `attribute_map`.
 */
const FIELDS: Readonly<Record<string, Rule>> = {
  activation_function: oneOf(...Object.keys(ACTIVATIONS)),
  layer_norm_epsilon: number(0),
  scale_attn_weights: flag,
  scale_attn_by_inverse_layer_idx: flag,
  tie_word_embeddings: flag,
  add_cross_attention: off,
  is_encoder_decoder: off,
  n_head: SIZE,
  num_attention_heads: SIZE,
  quantization_config: ['nothing', () => false],
  pruned_heads: ['nothing', (value) => Object.keys(value as object).length === 0],
};

export function gpt2Shape({ config = {}, name }: ModelFiles, weights: Weights): Gpt2Shape {
  checkFields(`${name}: config.json`, config, FIELDS);
  const said = <T>(key: string): T | undefined => (config[key] ?? undefined) as T | undefined;
  const [vocabulary, width] = weights.get('wte.weight', [-1, -1]).shape as [number, number];
  const [context] = weights.get('wpe.weight', [-1, width]).shape as [number];
  const layers = weights.count((i) => `h.${i}.attn.c_attn.weight`);
  const heads = said<number>('n_head') ?? said<number>('num_attention_heads');
  if (!heads) {
    throw new TilewrightError(
      'unknown-architecture',
      `${name}: the number of heads (n_head) is in config.json, which is missing or does not say it`,
      {
        hint: 'Load the whole folder, not the .safetensors file alone.',
      },
    );
  }
  const inner = weights.get('h.0.mlp.c_fc.weight', [width, -1]).shape[1]!;
  const expected: Record<string, number> = {
    ...{ n_layer: layers, n_embd: width, n_positions: context, vocab_size: vocabulary, n_inner: inner },
    ...{ num_hidden_layers: layers, hidden_size: width, max_position_embeddings: context },
  };
  for (const [key, got] of Object.entries(expected)) {
    if ((said(key) ?? got) !== got)
      throw new TilewrightError(
        'wrong-shape',
        `${name}: config.json says ${key} ${shown(config[key])}, the tensors ${got}`,
      );
  }
  if (width % heads)
    throw new TilewrightError('wrong-shape', `${name}: a width of ${width} does not divide into ${heads} heads`);
  const base = said('scale_attn_weights') === false ? 1 : 1 / Math.sqrt(width / heads);
  const byLayer = said('scale_attn_by_inverse_layer_idx') === true;
  return {
    layers,
    width,
    heads,
    context,
    vocabulary,
    activation: said('activation_function') ?? 'gelu_new',
    epsilon: said('layer_norm_epsilon') ?? 1e-5,
    tied: said('tie_word_embeddings') !== false,
    scale: (layer) => (byLayer ? base / (layer + 1) : base),
  };
}

export const groups = [] as const;

/** The GPT-2 of a folder. A context below the model's own leaves rows of its table of positions unused. */
export function family(files: ModelFiles, { context }: LoadOptions): TextFamily {
  const weights = new Weights(files.checkpoint, gpt2Prefix(files.checkpoint.tensors) ?? '');
  const own = gpt2Shape(files, weights);
  if (context !== undefined && context > own.context)
    throw new TilewrightError(
      'invalid-argument',
      `context: expected at most ${own.context}, for which ${files.name} is made, got ${context}`,
    );
  const shape = { ...own, context: context ?? own.context };
  return { architecture: 'gpt2', shape, weights, graph: (options) => gpt2Graph(weights, shape, options) };
}

/**
 * GPT-2 (Radford et al. 2019) for a chunk of tokens. Inputs: `tokens` and `positions`, uint32[tokens]. Output:
 * `logits`, or `token`, drawn from the logits by the input `settings` (ops/sample.ts). Keys and values of all positions
 * are states, so a chunk may start anywhere, and one plan serves every chunk of this length. Rows of padding are
 * overwritten before a later chunk reads them.
 */
export function gpt2Graph(
  weights: Weights,
  shape: Gpt2Shape,
  { dataType, tokens: count, predict }: TextGraphOptions,
): Graph {
  const b = new GraphBuilder();
  const w = new GraphWeights(b, weights, dataType);
  const { width, heads, epsilon, context, vocabulary } = shape;

  const normalized = (x: Operand, name: string): Operand =>
    b.layerNormalization(x, {
      scale: w.get(`${name}.weight`, [width]),
      bias: w.get(`${name}.bias`, [width]),
      axes: [x.shape.length - 1],
      epsilon,
      label: name,
    });
  // GPT-2's Conv1D keeps its weight as [in, out].
  const linear = (x: Operand, name: string, out: number): Operand =>
    b.add(b.matmul(x, w.get(`${name}.weight`, [x.shape.at(-1)!, out]), { label: name }), w.get(`${name}.bias`, [out]));

  const tokens = b.input('tokens', { dataType: 'uint32', shape: [count] });
  const positions = b.input('positions', { dataType: 'uint32', shape: [count] });
  const table = w.get('wte.weight', [vocabulary, width]);
  let x = b.add(
    b.gather(table, tokens, { label: 'wte' }),
    b.gather(w.get('wpe.weight', [-1, width]), positions, { label: 'wpe' }),
    { label: 'embedding' },
  );
  for (let i = 0; i < shape.layers; i++) {
    const name = `h.${i}`;
    const qkv = linear(normalized(x, `${name}.ln_1`), `${name}.attn.c_attn`, 3 * width);
    // A row of the cache is [key, value] of a position: columns width.. of the packed row [query, key, value].
    const empty = b.state(`${name}.kv`, { dataType, shape: [context, 2 * width] });
    const cache = b.scatterRows(empty, qkv, positions, { column: width, label: `${name}.attn.cache` });
    const attended = b.attention(qkv, cache, cache, {
      heads,
      headSize: width / heads,
      scale: shape.scale(i),
      causal: true,
      positions,
      columns: [0, 0, width],
      label: `${name}.attn`,
    });
    x = b.add(linear(attended, `${name}.attn.c_proj`, width), x);
    const inner = weights.shape(`${name}.mlp.c_fc.weight`)[1] ?? 4 * width;
    const hidden = linear(normalized(x, `${name}.ln_2`), `${name}.mlp.c_fc`, inner);
    const activated = ACTIVATIONS[shape.activation]!(b, hidden);
    x = b.add(linear(activated, `${name}.mlp.c_proj`, width), x);
  }
  if (predict === 'last' && count > 1)
    x = b.gather(x, b.input('last', { dataType: 'uint32', shape: [1] }), { label: 'last' });
  const separate = weights.prefix === 'transformer.' ? weights.at('') : weights;
  const own = !shape.tied || separate.has('lm_head.weight');
  const untied = own && new GraphWeights(b, separate, dataType).get('lm_head.weight', [vocabulary, width]);
  const head = shape.tied || !untied ? table : untied;
  const logits = b.matmul(normalized(x, 'ln_f'), head, { transposeB: true, label: 'lm_head' });
  return textOutputs(b, logits, predict);
}
