import { TilewrightError } from '../errors.ts';
import { GraphBuilder } from '../graph/builder.ts';
import type { Graph, Operand } from '../graph/ir.ts';
import type { ModelFiles } from './model.ts';
import { GraphWeights, type Weights } from './weights.ts';

/** The sizes of a GPT-2, from its config and its tensors. */
export interface Gpt2Shape {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly context: number;
  readonly vocabulary: number;
  readonly activation: string;
  readonly epsilon: number;
  /** 1 / sqrt(head size), unless the config turns it off. */
  readonly scale: (layer: number) => number;
}

const ACTIVATIONS: Record<string, string> = {
  gelu_new: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  gelu: 'gelu',
  relu: 'relu',
};

export function gpt2Shape({ config = {}, name }: ModelFiles, weights: Weights): Gpt2Shape {
  const number = (key: string): number | undefined =>
    typeof config[key] === 'number' ? (config[key] as number) : undefined;
  const [vocabulary, width] = weights.get('wte.weight', [-1, -1]).shape as [number, number];
  const [context] = weights.get('wpe.weight', [-1, width]).shape as [number];
  const layers = weights.count((i) => `h.${i}.attn.c_attn.weight`);
  const heads = number('n_head') ?? number('num_attention_heads');
  if (!heads) {
    throw new TilewrightError(
      'unknown-architecture',
      `${name}: the number of heads (n_head) is in config.json, which is missing or does not say it`,
      {
        hint: 'Load the whole folder, not the .safetensors file alone.',
      },
    );
  }
  const expected = { n_layer: layers, n_embd: width, n_positions: context, vocab_size: vocabulary };
  for (const [key, got] of Object.entries(expected)) {
    const said = number(key);
    if (said !== undefined && said !== got)
      throw new TilewrightError('wrong-shape', `${name}: config.json says ${key} ${said}, the tensors ${got}`);
  }
  if (width % heads)
    throw new TilewrightError('wrong-shape', `${name}: a width of ${width} does not divide into ${heads} heads`);
  const activation = ACTIVATIONS[String(config['activation_function'] ?? 'gelu_new')];
  if (!activation)
    throw new TilewrightError(
      'unknown-architecture',
      `${name}: activation_function '${config['activation_function']}' is not known`,
    );
  const base = config['scale_attn_weights'] === false ? 1 : 1 / Math.sqrt(width / heads);
  const byLayer = config['scale_attn_by_inverse_layer_idx'] === true;
  return {
    layers,
    width,
    heads,
    context,
    vocabulary,
    activation,
    epsilon: number('layer_norm_epsilon') ?? 1e-5,
    scale: (layer) => (byLayer ? base / (layer + 1) : base),
  }; // prettier-ignore
}

export interface Gpt2GraphOptions {
  readonly dataType: 'float32' | 'float16';
  /** Tokens that go in at a run. */
  readonly tokens: number;
  /** The logits after all tokens, or the token drawn after the one that the input `last` points at (the only one, where there is one). */
  readonly predict: 'all' | 'last';
}

/**
 * GPT-2 (Radford et al. 2019) for a chunk of tokens: inputs `tokens` and `positions` (uint32, one a token), output
 * `logits`, or the `token` that is drawn from the last of them by the input `settings` (ops/sample.ts). Keys and values of all positions are states, so one plan serves every chunk of this length: a chunk may
 * start anywhere, and what it pads with is overwritten before anything looks at it.
 */
export function gpt2Graph(
  weights: Weights,
  shape: Gpt2Shape,
  { dataType, tokens: count, predict }: Gpt2GraphOptions,
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
    b.gather(w.get('wpe.weight', [context, width]), positions, { label: 'wpe' }),
    { label: 'embedding' },
  );
  for (let i = 0; i < shape.layers; i++) {
    const name = `h.${i}`;
    const qkv = linear(normalized(x, `${name}.ln_1`), `${name}.attn.c_attn`, 3 * width);
    // A row of the cache is a position's key, then its value: columns width.. of the packed row.
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
    const activated =
      shape.activation === 'gelu_tanh'
        ? b.gelu(hidden, { approximate: 'tanh' })
        : shape.activation === 'gelu'
          ? b.gelu(hidden)
          : b.relu(hidden);
    x = b.add(linear(activated, `${name}.mlp.c_proj`, width), x);
  }
  if (predict === 'last' && count > 1)
    x = b.gather(x, b.input('last', { dataType: 'uint32', shape: [1] }), { label: 'last' });
  const separate = weights.prefix === 'transformer.' ? weights.at('') : weights;
  const tied = !separate.has('lm_head.weight');
  const head = tied ? table : new GraphWeights(b, separate, dataType).get('lm_head.weight', [vocabulary, width]);
  const logits = b.matmul(normalized(x, 'ln_f'), head, { transposeB: true, label: 'lm_head' });
  if (predict === 'all') return b.outputs({ logits });
  const settings = b.input('settings', { dataType: 'float32', shape: [1, 4] });
  return b.outputs({ token: b.sample(logits, settings, { label: 'sample' }) });
}
