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

/** `query` [1,queries,width], `key` and `value` [1,keys,width] with the heads side by side; no mask. */
export function onnxAttention(queries: number, keys: number, heads: number, width: number): OnnxModel {
  const g = new OnnxGraph();
  const lengths = { query: queries, key: keys, value: keys };
  const inputs = Object.entries(lengths).map(([name, length]) => g.input(name, 'float32', [1, length, width]));
  g.node('MultiHeadAttention@com.microsoft', inputs, { num_heads: heads }, 'output');
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

/** Names of a layer's keys and values: `past.3.key`, `present.3.value`. */
export const cacheNames = (which: 'past' | 'present', layers: number): string[] =>
  Array.from({ length: layers }, (_, i) => [`${which}.${i}.key`, `${which}.${i}.value`]).flat();

/**
 * A decoder with a cache, in the form that onnxruntime's own model builder gives its WebGPU provider: GroupQueryAttention
 * takes past keys and values [1,heads,past,head size] and gives those of all positions. Inputs `tokens` and `positions`
 * [1,count] (int64), `last` [1] (int32: positions in all, less one) and `total` (int32, positions in all); `logits`
 * [1,1,vocabulary] are those after the last token.
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
  const last = g.input('last', 'int32', [1]);
  const total = g.input('total', 'int32', []);
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
    const cache = [2 * i, 2 * i + 1];
    const [attended] = g.nodes(
      'GroupQueryAttention@com.microsoft',
      [...qkv, ...cache.map((at) => past[at]!), last, total],
      { num_heads: heads, kv_num_heads: heads },
      [`${name}.attended`, ...cache.map((at) => present[at]!)],
    );
    x = g.node('Add', [linear(attended!, `${name}.attn.c_proj`), x]);
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
