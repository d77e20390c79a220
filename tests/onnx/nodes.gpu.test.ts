import { describe, expect, it } from 'vitest';
import type { GraphModel } from '../../src/onnx/graph-model.ts';
import type { GraphTensor } from '../../src/onnx/run-tensors.ts';
import { expectError } from '../formats/files.ts';
import { testEngine } from '../support/engine.ts';
import { encodeModel, floats, longs, type ModelToEncode, node } from '../support/onnx.ts';

/** y: of x [n, 2] by w, reshaped to rows of one, softplus in a function, and an If. */
const model: ModelToEncode = {
  inputs: [
    ['x', 'float', ['n', 2]],
    ['pick', 'bool', []],
  ],
  outputs: [['y', 'float', ['m', 1]]],
  initializers: [floats('w', [2, 3], [1, 2, 3, 4, 5, 6]), longs('shape', [-1, 1])],
  nodes: [
    { ...node('MatMul', ['x', 'w'], ['product']), name: 'layer/product' },
    node('Reshape', ['product', 'shape'], ['column']),
    node('Soft@own', ['column'], ['soft'], { factor: { float: 2 } }),
    node('If', ['pick'], ['y'], {
      then_branch: { graph: { nodes: [node('Neg', ['soft'], ['a'])], outputs: [['a', 'float']] } },
      else_branch: { graph: { nodes: [node('Relu', ['soft'], ['b'])], outputs: [['b', 'float']] } },
    }),
  ],
  functions: [
    {
      name: 'Soft',
      inputs: ['v'],
      outputs: ['r'],
      attributes: ['factor'],
      nodes: [node('Elu', ['v'], ['r'], { alpha: { ref: 'factor' } })],
    },
  ],
};

async function withModel<T>(bytes: Uint8Array, work: (model: GraphModel) => Promise<T>): Promise<T> {
  const engine = await testEngine();
  const made = (await engine.load({ 'm.onnx': bytes as Uint8Array<ArrayBuffer> })) as GraphModel;
  try {
    return await work(made);
  } finally {
    made.dispose();
  }
}

const run = async (made: GraphModel, inputs = { x: [1, -1, 0.5, -2], pick: [true] }): Promise<number[]> => {
  const { y } = await made.run(inputs);
  return Array.from((y as GraphTensor).data as Float32Array);
};

describe('the nodes of a graph', () => {
  it('are known with their shapes once the shapes are, what is inside of others before those', async () => {
    await withModel(encodeModel(model), async (made) => {
      await expectError(() => made.nodes(), 'invalid-argument', /has no plan/);
      await run(made);
      const nodes = await made.nodes();
      expect(nodes.map(({ label, op }) => `${label} ${op}`)).toEqual([
        'layer/product MatMul',
        'column Reshape',
        'soft/r Elu',
        'soft own.Soft',
        expect.stringMatching(/Neg$/),
        'y If',
      ]);
      const [product, reshape] = nodes;
      expect(product).toMatchObject({
        inputs: [
          { name: 'x', type: 'float', dims: [2, 2] },
          { name: 'w', type: 'float', dims: [2, 3] },
        ],
        outputs: [{ name: 'product', dims: [2, 3] }],
      });
      expect(reshape!.outputs[0]!.dims).toEqual([6, 1]);
      await run(made, { x: [1, 2], pick: [false] });
      const others = await made.nodes();
      expect(others.at(-2)!.op).toBe('Relu');
      expect(others[0]!.outputs[0]!.dims).toEqual([1, 3]);
      const earlier = Object.keys(made.graphs()).at(-1)!;
      expect((await made.nodes(earlier))[0]!.outputs[0]!.dims).toEqual([2, 3]);
      await expectError(() => made.nodes('none'), 'invalid-argument', /no plan 'none'/);
    });
  });

  it('are files of their own, which compute the same', async () => {
    await withModel(encodeModel(model), async (made) => {
      await run(made);
      const product = await made.excerpt('layer/product');
      await withModel(product, async (alone) => {
        expect(alone.inputs).toEqual([{ name: 'x', type: 'float', dims: [2, 2] }]);
        const { product: y } = await alone.run({ x: [1, -1, 0.5, -2] });
        expect(y).toMatchObject({ dims: [2, 3], data: Float32Array.of(-3, -3, -3, -7.5, -9, -10.5) });
        expect((await alone.nodes()).map(({ label }) => label)).toEqual(['layer/product']);
      });
      // The attribute of the call of the function is the node's own.
      await withModel(await made.excerpt('soft/r'), async (alone) => {
        const [elu] = Object.values(await alone.run({ v: [-1, 1, -1, 1, -1, 1] })) as GraphTensor[];
        expect((elu!.data as Float32Array)[0]).toBeCloseTo(2 * Math.expm1(-1), 5);
      });
      await withModel(await made.excerpt('column'), async (alone) => {
        expect(alone.inputs.map(({ name }) => name)).toEqual(['product']); // the shape is in the file
      });
      await expectError(() => made.excerpt('y'), 'unsupported-option', /then_branch/);
      await expectError(() => made.excerpt('none'), 'invalid-argument', /no node 'none'/);
    });
  });
});
