import { planOf } from '../src/build/build.ts';
import type { PassOptions } from '../src/graph/passes/index.ts';
import type { Step } from '../src/graph/plan.ts';
import type { Engine, Graph, Model, ModelDataType, Operand } from '../src/index.ts';
import { toHalf } from '../src/tensor/half.ts';
import { type DataType, elementCount, type TensorData } from '../src/tensor/types.ts';
import { createRandom } from '../src/text/random.ts';
import type { AttentionShape, ConvLayer } from './cases.ts';
import type { BenchDataType, Work } from './report.ts';

/** What activations are in when weights are in this type. */
const activationType = (dtype: BenchDataType): 'float32' | 'float16' => (dtype === 'float16' ? 'float16' : 'float32');

/** Seeded numbers in -1..1: zeros would let a GPU run cooler and faster than it does at work. */
export function randomData(dataType: DataType, shape: readonly number[], seed: number): TensorData {
  const random = createRandom(seed);
  const floats = new Float32Array(elementCount(shape));
  for (let i = 0; i < floats.length; i++) floats[i] = 2 * random() - 1;
  return dataType === 'float16' ? Uint16Array.from(floats, toHalf) : floats;
}

/** What makes builders of graphs: an engine. */
type Builders = Pick<Engine, 'graph'>;

/** [m,k] times [k,n]. The weights are constants, as in a model; random ones where none are given. */
export function matmulGraph(
  engine: Builders,
  [m, k, n]: readonly [m: number, k: number, n: number],
  dtype: BenchDataType,
  weights?: TensorData,
): Graph {
  const b = engine.graph();
  const dataType = activationType(dtype);
  const matrix = { dataType, shape: [k, n] };
  const constant = b.constant(matrix, weights ?? randomData(dataType, matrix.shape, 2));
  return b.outputs({ output: b.matmul(b.input('input', { dataType, shape: [m, k] }), constant) });
}

export function convGraph(
  engine: Builders,
  { size, channels, out, window, stride, groups }: ConvLayer,
  dtype: BenchDataType,
  weights?: TensorData,
): Graph {
  const b = engine.graph();
  const dataType = activationType(dtype);
  const filter = { dataType, shape: [window, window, channels / groups, out] };
  const input = b.input('input', { dataType, shape: [1, size, size, channels] });
  const padding = new Array<number>(4).fill((window - 1) / 2);
  const constant = b.constant(filter, weights ?? randomData(dataType, filter.shape, 2));
  const convolved = b.conv2d(input, constant, {
    padding,
    strides: [stride, stride],
    groups,
    inputLayout: 'nhwc',
    filterLayout: 'hwio',
  });
  return b.outputs({ output: convolved });
}

/** Every query sees every key. */
export function attentionGraph(
  engine: Builders,
  { queries, keys, heads, width }: AttentionShape,
  dtype: BenchDataType,
): Graph {
  const b = engine.graph();
  const dataType = activationType(dtype);
  const input = (name: string, length: number): Operand => b.input(name, { dataType, shape: [length, width] });
  const [query, key, value] = [input('query', queries), input('key', keys), input('value', keys)];
  return b.outputs({ output: b.attention(query, key, value, { heads, headSize: width / heads }) });
}

/** Along rows [rows, columns]. */
export function softmaxGraph(
  engine: Builders,
  shape: readonly [rows: number, columns: number],
  dtype: BenchDataType,
): Graph {
  const b = engine.graph();
  return b.outputs({ output: b.softmax(b.input('input', { dataType: activationType(dtype), shape }), 1) });
}

/** `count` elements: the sum of two operands, or GELU of one. */
export function elementwiseGraph(engine: Builders, op: 'add' | 'gelu', count: number, dtype: BenchDataType): Graph {
  const b = engine.graph();
  const input = (name: string): Operand => b.input(name, { dataType: activationType(dtype), shape: [count] });
  return b.outputs({ output: op === 'add' ? b.add(input('a'), input('b')) : b.gelu(input('a')) });
}

/**
 * What a graph is built with: float16 is the type of its own operands; `w8a8` is int8 weights and activations, integer
 * products everywhere, so that it shows what they take.
 */
export const passOptions = (dtype: ModelDataType | 'w8a8'): PassOptions =>
  dtype === 'w8a8'
    ? { weights: 'int8', activations: 'dynamic', integer: () => true }
    : dtype === 'float16'
      ? {}
      : { weights: dtype };

export function workOf(steps: readonly Step[]): Work {
  return steps.reduce((sum, { cost }) => ({ flops: sum.flops + cost.flops, bytes: sum.bytes + cost.bytes }), {
    flops: 0,
    bytes: 0,
  });
}

/** Work of one run of a model's graph, as it is planned. */
export async function modelWork({ dtype, gpu }: Model, graph: Graph): Promise<Work> {
  const { steps } = await planOf(gpu, graph, { ...passOptions(dtype), tune: 'off', without: ['winograd'] });
  return workOf(steps);
}
