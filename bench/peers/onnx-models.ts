import type { ConvLayer } from '../cases.ts';
import type { GptSize, ResNetSize, Tensors } from '../models.ts';
import { OnnxGraph, type OnnxModel } from './onnx.ts';

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

/**
 * Attention in plain ops, as PyTorch exports it. The fused ones of onnxruntime-web 1.30, MultiHeadAttention and
 * GroupQueryAttention, compute other numbers on SwiftShader where there are 128 queries (0.92 off, normwise).
 */
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

/** [count, total]: what is added to the scores of the last `count` of so many positions. */
export const causalMask = (count: number, total: number): Float32Array =>
  Float32Array.from({ length: count * total }, (_, i) =>
    i % total > total - count + Math.floor(i / total) ? -1e9 : 0,
  );

/** Names of a layer's keys and values: `past.3.key`, `present.3.value`. */
export const cacheNames = (which: 'past' | 'present', layers: number): string[] =>
  Array.from({ length: layers }, (_, i) => [`${which}.${i}.key`, `${which}.${i}.value`]).flat();

/**
 * A decoder with a cache: past keys and values [1,heads,past,head size] go in, those of all positions come out. Inputs
 * `tokens` and `positions` [1,count] (int64), `mask` [1,1,count,total], which is added to the scores; `logits`
 * [1,vocabulary] are those after the last token.
 */
export function onnxGpt(tensors: Tensors, { layers, width, heads, vocabulary }: GptSize): OnnxModel {
  const g = new OnnxGraph(true);
  const weight = (name: string): string => {
    const { data, shape } = tensors.get(name)!;
    return g.constant(data, shape, name);
  };
  const norm = (x: string, name: string): string =>
    g.node('LayerNormalization', [x, weight(`${name}.weight`), weight(`${name}.bias`)], { epsilon: { float: 1e-5 } });
  const linear = (x: string, name: string): string =>
    g.node('Add', [g.node('MatMul', [x, weight(`${name}.weight`)]), weight(`${name}.bias`)]);

  const table = weight('wte.weight');
  const tokens = g.input('tokens', 'int64', [1, 'count']);
  const positions = g.input('positions', 'int64', [1, 'count']);
  const mask = g.input('mask', 'float32', [1, 1, 'count', 'total']);
  const attention = new PlainAttention(g, { heads, width });
  const cacheShape = (length: string): (number | string)[] => [1, heads, length, width / heads];
  const past = cacheNames('past', layers).map((name) => g.input(name, 'float32', cacheShape('past')));
  const present = cacheNames('present', layers);
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
  const end = g.node('Gather', [x, g.constant(BigInt64Array.of(-1n), [1])], { axis: 1 });
  const flat = g.node('Reshape', [norm(end, 'ln_f'), g.integers(1, width)]);
  g.node('Gemm', [flat, table], { transB: 1 }, 'logits');
  g.output('logits', 'float32', [1, vocabulary]);
  for (const name of present) g.output(name, 'float32', cacheShape('total'));
  return g.encode();
}
