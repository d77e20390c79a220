import { expect } from 'vitest';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { loadOps } from '../../src/graph/groups/index.ts';
import { type Graph, isInput, isLeaf, type NamedOptions, type Operand, topological } from '../../src/graph/ir.ts';
import { recogniser } from '../../src/patterns/index.ts';
import { elementCount, type TensorData } from '../../src/tensor/types.ts';
import { makeTensor } from '../../src/verify/values.ts';
import { evaluate } from '../support/evaluate.ts';

await loadOps();
export const recognise = await recogniser(['softmax']);

/** Adds the nodes of a spelling to what it is given. */
export type Spelling = (b: GraphBuilder, x: Operand) => Operand;

export const numbers = (b: GraphBuilder, shape: readonly number[], values: readonly number[]): Operand =>
  b.constant({ dataType: 'float32', shape }, Float32Array.from(values));
export const number = (b: GraphBuilder, value: number): Operand => numbers(b, [], [value]);
export const random = (b: GraphBuilder, shape: readonly number[], seed: string): Operand =>
  b.constant({ dataType: 'float32', shape }, makeTensor({ shape }, 'float32', 0, seed).data);

export const opsOf = (graph: Graph): string[] =>
  topological(graph)
    .filter((node) => !isLeaf(node) && node.op !== 'reshape')
    .map(({ op }) => op);

const inputsOf = (graph: Graph): Record<string, TensorData> =>
  Object.fromEntries(
    topological(graph)
      .filter(isInput)
      .map(({ options, dataType, shape }) => {
        const { name } = options as NamedOptions;
        // Wide enough for the ends of activations.
        return [name, makeTensor({ shape, values: { low: -5, high: 5 } }, dataType, 0, name).data as TensorData];
      }),
  );

export function graphOf(spelling: Spelling, shape: readonly number[]): Graph {
  const b = new GraphBuilder();
  return b.outputs({ y: spelling(b, b.input('x', { dataType: 'float32', shape })) });
}

/** The ops after patterns, where both graphs give the same numbers. */
export function recognised(graph: Graph): string[] {
  const after = recognise(graph);
  const given = inputsOf(graph);
  const [was, is] = [graph, after].map((one) => evaluate(one, given)['y']!);
  expect(is!.shape).toEqual(was!.shape);
  for (let i = 0; i < elementCount(was!.shape); i++) {
    const [want, got] = [was!.data[i]!, is!.data[i]!];
    if (Number.isNaN(want) ? !Number.isNaN(got) : !(Math.abs(got - want) <= 2e-5 * (1 + Math.abs(want))))
      expect.fail(`element ${i} is ${got}, was ${want}`);
  }
  return opsOf(after);
}

/** Heads of [B, T, heads · D] as [B, heads, T, D]. */
export const heads = (b: GraphBuilder, x: Operand, count: number): Operand => {
  const [n, t, width] = x.shape as [number, number, number];
  return b.transpose(b.reshape(x, [n, t, count, width / count]), { permutation: [0, 2, 1, 3] });
};
export const turned = (b: GraphBuilder, x: Operand): Operand =>
  b.transpose(x, { permutation: x.shape.length === 4 ? [0, 1, 3, 2] : [0, 2, 1] });
export const joined = (b: GraphBuilder, x: Operand): Operand => {
  const [n, count, t, d] = x.shape as [number, number, number, number];
  return b.reshape(b.transpose(x, { permutation: [0, 2, 1, 3] }), [n, t, count * d]);
};
