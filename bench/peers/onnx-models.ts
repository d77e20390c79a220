import type { ConvLayer } from '../cases.ts';
import { type DecoderSize, type GptSize, isGpt, type ResNetSize, type Tensors, type TextSize } from '../models.ts';
import type { OnnxInput } from '../onnx-files.ts';
import { OnnxGraph, type OnnxModel } from './onnx.ts';
import { permute } from './permute.ts';

/** `input` [m,k] times a constant [k,n] is `output`. */
export function onnxMatmul(m: number, k: number, n: number, weights: Float32Array): OnnxModel {
  const g = new OnnxGraph(true);
  g.node('MatMul', [g.input('input', 'float32', [m, k]), g.constant(weights, [k, n], 'weights')], {}, 'output');
  g.output('output', 'float32', [m, n]);
  return g.encode();
}

/** ONNX's layouts: `input` [1,C,H,W], a constant filter [O,I,H,W], `output` [1,O,H,W]. */
export function onnxConv2d(
  { size, channels, out, window, stride, groups }: ConvLayer,
  filter: Float32Array,
): OnnxModel {
  const g = new OnnxGraph(true);
  const weights = g.constant(filter, [out, channels / groups, window, window], 'weights');
  const padding = new Array<number>(4).fill((window - 1) / 2);
  const attributes = { kernel_shape: [window, window], strides: [stride, stride], pads: padding, group: groups };
  g.node('Conv', [g.input('input', 'float32', [1, channels, size, size]), weights], attributes, 'output');
  g.output('output', 'float32', [1, out, size / stride, size / stride]);
  return g.encode();
}

interface Heads {
  readonly heads: number;
  readonly width: number;
}

/** Attention in plain ops, as PyTorch exports it. */
class PlainAttention {
  constructor(
    private readonly g: OnnxGraph,
    private readonly size: Heads,
  ) {}

  /** [1,T,width] to [1,heads,T,head size]. */
  split(x: string): string {
    const { heads, width } = this.size;
    const parts = this.g.node('Reshape', [x, this.g.integers(1, -1, heads, width / heads)]);
    return this.g.node('Transpose', [parts], { perm: [0, 2, 1, 3] });
  }

  /** Of parts that are split; `mask` is added to the scores. [1,T,width]. */
  attend(query: string, key: string, value: string, mask?: string, output?: string): string {
    const { heads, width } = this.size;
    const turned = this.g.node('Transpose', [key], { perm: [0, 1, 3, 2] });
    const scale = this.g.constant(Float32Array.of(1 / Math.sqrt(width / heads)), []);
    const scores = this.g.node('Mul', [this.g.node('MatMul', [query, turned]), scale]);
    const weights = this.g.node('Softmax', [mask ? this.g.node('Add', [scores, mask]) : scores], { axis: -1 });
    const attended = this.g.node('Transpose', [this.g.node('MatMul', [weights, value])], { perm: [0, 2, 1, 3] });
    return this.g.node('Reshape', [attended, this.g.integers(1, -1, width)], {}, output);
  }
}

/** `query` [1,queries,width], `key` and `value` [1,keys,width] with the heads side by side; no mask. */
export function onnxAttention(queries: number, keys: number, heads: number, width: number): OnnxModel {
  const g = new OnnxGraph();
  const attention = new PlainAttention(g, { heads, width });
  const lengths = { query: queries, key: keys, value: keys };
  const [query, key, value] = Object.entries(lengths).map(([name, length]) =>
    attention.split(g.input(name, 'float32', [1, length, width])),
  );
  attention.attend(query!, key!, value!, undefined, 'output');
  g.output('output', 'float32', [1, queries, width]);
  return g.encode();
}

/** `image` [1,3,H,W] to `logits`. Normalisation is left to onnxruntime to fold, as it does with a PyTorch export. */
export function onnxResNet(tensors: Tensors, { blocks, bottleneck, classes, image }: ResNetSize): OnnxModel {
  const g = new OnnxGraph();
  const weight = (name: string): string => {
    const { data, shape } = tensors.get(name)!;
    return g.constant(data, shape, name);
  };
  const convolution = (x: string, conv: string, norm: string, stride: number): string => {
    const kernel = tensors.get(`${conv}.weight`)!.shape[2]!;
    const y = g.node('Conv', [x, weight(`${conv}.weight`)], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: new Array<number>(4).fill((kernel - 1) / 2),
    });
    const parts = ['weight', 'bias', 'running_mean', 'running_var'].map((part) => weight(`${norm}.${part}`));
    return g.node('BatchNormalization', [y, ...parts], { epsilon: { float: 1e-5 } });
  };
  let x = g.node('Relu', [convolution(g.input('image', 'float32', [1, 3, image, image]), 'conv1', 'bn1', 2)]);
  x = g.node('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  blocks.forEach((count, stage) => {
    for (let block = 0; block < count; block++) {
      const name = `layer${stage + 1}.${block}`;
      const stride = block === 0 && stage > 0 ? 2 : 1;
      const strided = bottleneck ? 1 : 0;
      let y = x;
      for (let i = 0; i < (bottleneck ? 3 : 2); i++) {
        if (i) y = g.node('Relu', [y]);
        y = convolution(y, `${name}.conv${i + 1}`, `${name}.bn${i + 1}`, i === strided ? stride : 1);
      }
      const projected = tensors.has(`${name}.downsample.0.weight`);
      const shortcut = projected ? convolution(x, `${name}.downsample.0`, `${name}.downsample.1`, stride) : x;
      x = g.node('Relu', [g.node('Add', [y, shortcut])]);
    }
  });
  const pooled = g.node('Flatten', [g.node('GlobalAveragePool', [x])]);
  g.node('Gemm', [pooled, weight('fc.weight'), weight('fc.bias')], { transB: 1 }, 'logits');
  g.output('logits', 'float32', [1, classes]);
  return g.encode();
}

/** A decoder as onnxruntime-web runs it. */
export interface OnnxDecoder extends OnnxModel {
  /** Names of the past keys and values [1,heads,past,head size] that go in, and of those of all positions that come out, in the same order. */
  readonly past: readonly string[];
  readonly present: readonly string[];
  /** Of the cache. */
  readonly heads: number;
  readonly headSize: number;
  /** What goes in beside the cache, for tokens behind so many. */
  inputs(tokens: readonly number[], past: number): Readonly<Record<string, OnnxInput>>;
}

interface CacheSize {
  readonly layers: number;
  readonly heads: number;
  readonly headSize: number;
}

/**
 * What all decoders have: `tokens` [1,count] (int64) and past keys and values go in; `logits` [1,vocabulary] after the last
 * token, and the keys and values of all positions come out.
 */
class DecoderGraph {
  readonly g = new OnnxGraph(true);
  readonly tokens = this.g.input('tokens', 'int64', [1, 'count']);
  readonly past: readonly string[];
  readonly present: readonly string[];

  constructor(
    private readonly tensors: Tensors,
    private readonly cache: CacheSize,
  ) {
    const names = (which: string): string[] =>
      Array.from({ length: cache.layers }, (_, i) => [`${which}.${i}.key`, `${which}.${i}.value`]).flat();
    this.past = names('past').map((name) => this.g.input(name, 'float32', this.#shape('past')));
    this.present = names('present');
  }

  weight(name: string): string {
    const { data, shape } = this.tensors.get(name)!;
    return this.g.constant(data, shape, name);
  }

  /** `rows` [1,count,width] times the table's transpose: of the last row. */
  encode(rows: string, table: string, inputs: OnnxDecoder['inputs']): OnnxDecoder {
    const { g, past, present } = this;
    const [vocabulary, width] = this.tensors.get(table)!.shape as [number, number];
    const end = g.node('Gather', [rows, g.constant(BigInt64Array.of(-1n), [1])], { axis: 1 });
    g.node('Gemm', [g.node('Reshape', [end, g.integers(1, width)]), table], { transB: 1 }, 'logits');
    g.output('logits', 'float32', [1, vocabulary]);
    for (const name of present) g.output(name, 'float32', this.#shape('total'));
    const { heads, headSize } = this.cache;
    const own = (fresh: readonly number[], length: number): Readonly<Record<string, OnnxInput>> => ({
      tokens: integers([1, fresh.length], fresh),
      ...inputs(fresh, length),
    });
    return { ...g.encode(), past, present, heads, headSize, inputs: own };
  }

  #shape(length: string): (number | string)[] {
    return [1, this.cache.heads, length, this.cache.headSize];
  }
}

/** Of the tensors under their published names: a GPT-2, or a Llama. */
export function onnxDecoder(tensors: Tensors, size: TextSize): OnnxDecoder {
  return isGpt(size) ? onnxGpt(tensors, size) : onnxLlama(tensors, size);
}

const integers = (dims: readonly number[], values: readonly number[]): OnnxInput => ({
  type: 'int64',
  dims,
  data: BigInt64Array.from(values, BigInt),
});

/** [count, total]: what is added to the scores of the last `count` of so many positions. */
const causalMask = (count: number, total: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count * total }, (_, i) =>
    i % total > total - count + Math.floor(i / total) ? -1e9 : 0,
  );

/** A GPT-2 in plain ops. Inputs: `positions` [1,count] (int64), `mask` [1,1,count,total], which is added to the scores. */
function onnxGpt(tensors: Tensors, { layers, width, heads }: GptSize): OnnxDecoder {
  const decoder = new DecoderGraph(tensors, { layers, heads, headSize: width / heads });
  const { g, tokens, past, present } = decoder;
  const weight = (name: string): string => decoder.weight(name);
  const norm = (x: string, name: string): string =>
    g.node('LayerNormalization', [x, weight(`${name}.weight`), weight(`${name}.bias`)], { epsilon: { float: 1e-5 } });
  const linear = (x: string, name: string): string =>
    g.node('Add', [g.node('MatMul', [x, weight(`${name}.weight`)]), weight(`${name}.bias`)]);

  const table = weight('wte.weight');
  const positions = g.input('positions', 'int64', [1, 'count']);
  const mask = g.input('mask', 'float32', [1, 1, 'count', 'total']);
  const attention = new PlainAttention(g, { heads, width });
  const [thirds, lastAxis] = [g.integers(width, width, width), { axis: 2 }];
  let x = g.node('Add', [g.node('Gather', [table, tokens]), g.node('Gather', [weight('wpe.weight'), positions])]);
  for (let i = 0; i < layers; i++) {
    const name = `h.${i}`;
    const packed = linear(norm(x, `${name}.ln_1`), `${name}.attn.c_attn`);
    const qkv = g.nodes(
      'Split',
      [packed, thirds],
      lastAxis,
      ['q', 'k', 'v'].map((part) => `${name}.${part}`),
    );
    const [query, key, value] = qkv.map((part) => attention.split(part));
    const [keys, values] = [key!, value!].map((fresh, at) =>
      g.node('Concat', [past[2 * i + at]!, fresh], { axis: 2 }, present[2 * i + at]!),
    );
    const attended = attention.attend(query!, keys!, values!, mask);
    x = g.node('Add', [linear(attended, `${name}.attn.c_proj`), x]);
    const hidden = linear(norm(x, `${name}.ln_2`), `${name}.mlp.c_fc`);
    x = g.node('Add', [linear(g.node('Gelu', [hidden], { approximate: 'tanh' }), `${name}.mlp.c_proj`), x]);
  }
  return decoder.encode(norm(x, 'ln_f'), table, gptInputs);
}

// Beside the makers: a function inside of one would keep its tensors.
const gptInputs: OnnxDecoder['inputs'] = ({ length }, past) => ({
  positions: integers(
    [1, length],
    Array.from({ length }, (_, i) => past + i),
  ),
  mask: { type: 'float32', dims: [1, 1, length, past + length], data: causalMask(length, past + length) },
});

const llamaInputs: OnnxDecoder['inputs'] = ({ length }, past) => ({
  last: { type: 'int32', dims: [1], data: Int32Array.of(past + length - 1) },
  total: { type: 'int32', dims: [], data: Int32Array.of(past + length) },
});

/**
 * A Llama, its head tied to its table, in the ops that onnxruntime-genai exports for WebGPU: queries, keys and values in one
 * product, GroupQueryAttention that turns them, a sum with the normalisation behind it. Inputs: `last` [1] and `total`
 * (int32), the last position and the number of all.
 */
function onnxLlama(tensors: Tensors, size: DecoderSize): OnnxDecoder {
  if (size.model_type !== 'llama') throw new Error(`expected a llama, got a ${size.model_type}`);
  const { num_hidden_layers: layers, num_key_value_heads: heads, head_dim: headSize } = size;
  const decoder = new DecoderGraph(tensors, { layers, heads, headSize });
  const { g, tokens, past, present } = decoder;
  const epsilon = { epsilon: { float: size.rms_norm_eps } };
  /** Times weights [out,in], one or several side by side. */
  const linear = (x: string, ...names: string[]): string => {
    const weights = names.map((name) => tensors.get(`${name}.weight`)!);
    const inputs = weights[0]!.shape[1]!;
    const outputs = weights.reduce((sum, { shape }) => sum + shape[0]!, 0);
    const rows = new Float32Array(outputs * inputs);
    let at = 0;
    for (const { data } of weights) {
      rows.set(data, at);
      at += data.length;
    }
    return g.node('MatMul', [x, g.constant(permute(rows, [outputs, inputs], [1, 0]), [inputs, outputs], names[0]!)]);
  };
  const last = g.input('last', 'int32', [1]);
  const total = g.input('total', 'int32', []);
  const turns = rotaryTables(size).map((table, i) =>
    g.constant(table, [size.max_position_embeddings, headSize / 2], ['cosines', 'sines'][i]),
  );

  const table = decoder.weight('model.embed_tokens.weight');
  let x = g.node('Gather', [table, tokens]);
  const first = decoder.weight('model.layers.0.input_layernorm.weight');
  let normed = g.node('SimplifiedLayerNormalization', [x, first], { axis: -1, ...epsilon });
  /** Adds to `x`, and normalises the sum. */
  const add = (term: string, norm: string): void => {
    const outputs = [`${norm}.normed`, '', '', `${norm}.sum`];
    const op = 'SkipSimplifiedLayerNormalization@com.microsoft';
    g.nodes(op, [x, term, decoder.weight(`${norm}.weight`)], epsilon, outputs);
    [normed, x] = [outputs[0]!, outputs[3]!];
  };
  for (let i = 0; i < layers; i++) {
    const name = `model.layers.${i}`;
    const packed = linear(normed, ...['q', 'k', 'v'].map((part) => `${name}.self_attn.${part}_proj`));
    const [attended] = g.nodes(
      'GroupQueryAttention@com.microsoft',
      [packed, '', '', past[2 * i]!, past[2 * i + 1]!, last, total, ...turns],
      {
        num_heads: size.num_attention_heads,
        kv_num_heads: heads,
        scale: { float: 1 / Math.sqrt(headSize) },
        do_rotary: 1,
        rotary_interleaved: 0,
      },
      [`${name}.attended`, present[2 * i]!, present[2 * i + 1]!],
    );
    add(linear(attended!, `${name}.self_attn.o_proj`), `${name}.post_attention_layernorm`);
    const gate = linear(normed, `${name}.mlp.gate_proj`);
    const gated = g.node('Mul', [
      g.node('Mul', [gate, g.node('Sigmoid', [gate])]),
      linear(normed, `${name}.mlp.up_proj`),
    ]);
    add(
      linear(gated, `${name}.mlp.down_proj`),
      i + 1 < layers ? `model.layers.${i + 1}.input_layernorm` : 'model.norm',
    );
  }
  return decoder.encode(normed, table, llamaInputs);
}

/** Cosines and sines of the angles that each position turns pairs of a head by: [positions, head size / 2] each. */
function rotaryTables({ max_position_embeddings: positions, head_dim: size, rope_theta: theta }: DecoderSize) {
  const half = size / 2;
  const of = (turn: (angle: number) => number): Float32Array =>
    Float32Array.from({ length: positions * half }, (_, i) =>
      turn(Math.floor(i / half) * theta ** ((-2 * (i % half)) / size)),
    );
  return [of(Math.cos), of(Math.sin)];
}
