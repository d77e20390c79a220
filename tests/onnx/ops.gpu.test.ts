import { describe, expect, it } from 'vitest';
import { topological } from '../../src/graph/ir.ts';
import type { GraphTensor } from '../../src/onnx/run-tensors.ts';
import { expectError } from '../formats/files.ts';
import { numbers, run, withModel, Y } from '../support/graph-model.ts';
import { floats, longs, type ModelToEncode, node } from '../support/onnx.ts';

it("Resize by TensorFlow's transformation of opset 11 takes the elements that it names", async () => {
  const model: ModelToEncode = {
    opset: 11,
    nodes: [
      node('Resize', ['x', '', 'scales'], ['y'], {
        coordinate_transformation_mode: 'tf_half_pixel_for_nn',
        nearest_mode: 'floor',
      }),
    ],
    inputs: [['x', 'float', [1, 1, 1, 5]]],
    outputs: [Y],
    initializers: [floats('scales', [4], [1, 1, 1, 0.6])],
  };
  // floor((i + 0.5) / 0.6) for i of 0 to 2.
  expect(await numbers(model, { x: [10, 11, 12, 13, 14] })).toEqual([10, 12, 14]);
});

describe('a product with lines of a single 1', () => {
  const table = floats('table', [3, 2], [1, 2, 3, 4, 5, 6]);
  const made: ModelToEncode = {
    nodes: [node('OneHot', ['x', 'depth', 'values'], ['hot']), node('MatMul', ['hot', 'table'], ['y'])],
    inputs: [['x', 'int64', [2, 3]]],
    outputs: [Y],
    initializers: [table, longs('depth', [3], []), floats('values', [2], [0, 1])],
  };
  const compared: ModelToEncode = {
    nodes: [
      node('Unsqueeze', ['x', 'last'], ['narrow']),
      node('Expand', ['narrow', 'shape'], ['wide']),
      node('Equal', ['wide', 'counted'], ['met']),
      node('Cast', ['met'], ['hot'], { to: 1 }),
      node('MatMul', ['hot', 'table'], ['y']),
    ],
    inputs: [['x', 'int32', [2, 3]]],
    outputs: [Y],
    initializers: [
      table,
      longs('last', [-1]),
      longs('shape', [2, 3, 3]),
      { name: 'counted', type: 'int32', dims: [1, 1, 3], field: 'int32', values: [0, 1, 2] },
    ],
  };

  it.each([
    ['OneHot, whose places count from the end too', made, [3, 4]],
    ['a comparison with the numbers from 0 on', compared, [0, 0]],
  ])('is rows of the matrix, and zeros where no place is met: %s', async (_, model, negative) => {
    await withModel(model, async (loaded) => {
      const { y } = await loaded.run({ x: [2, 0, 1, 3, -2, -4] });
      expect((y as GraphTensor).dims).toEqual([2, 3, 2]);
      expect([...(y as GraphTensor).data]).toEqual([5, 6, 1, 2, 3, 4, 0, 0, ...negative, 0, 0]);
      // Lines of the depth are never made: at a large batch they are more than a binding holds.
      const ops = Object.values(loaded.graphs()).flatMap((graph) => topological(graph).map(({ op }) => op));
      expect(ops).not.toContain('matmul');
    });
  });

  it('is not looked for where scalars are compared', async () => {
    const model: ModelToEncode = {
      nodes: [node('Equal', ['x', 'two'], ['y'])],
      inputs: [
        ['x', 'int32', []],
        ['two', 'int32', []],
      ],
      outputs: [['y', 'bool']],
    };
    expect(await numbers(model, { x: [2], two: [2] })).toEqual([1]);
  });

  it('is one of matrices where the numbers lie along another axis', async () => {
    const square: ModelToEncode = {
      nodes: [
        node('Equal', ['x', 'counted'], ['met']),
        node('Cast', ['met'], ['hot'], { to: 1 }),
        node('MatMul', ['hot', 'table'], ['y']),
      ],
      inputs: [['x', 'int32', [3, 1]]],
      outputs: [Y],
      initializers: [table, { name: 'counted', type: 'int32', dims: [3, 1, 1], field: 'int32', values: [0, 1, 2] }],
    };
    // [3, 3, 1] does not meet [3, 2].
    await expectError(() => run(square, { x: [0, 1, 2] }), 'wrong-shape');
  });
});

it("takes onnxruntime's own DequantizeLinear, as ONNX's", async () => {
  const model = (op: string): ModelToEncode => ({
    nodes: [node(op, ['q', 'scale'], ['w'], { axis: 1 }), node('MatMul', ['x', 'w'], ['y'])],
    inputs: [['x', 'float', [1, 2]]],
    outputs: [Y],
    initializers: [
      { name: 'q', type: 'int8', dims: [2, 2], raw: Uint8Array.of(1, 2, 253, 4) },
      floats('scale', [2], [0.5, 0.25]),
    ],
  });
  for (const op of ['DequantizeLinear', 'DequantizeLinear@com.microsoft'])
    expect(await numbers(model(op), { x: [2, 1] })).toEqual([2 * 0.5 - 3 * 0.5, 2 * 0.5 + 4 * 0.25]);
});
