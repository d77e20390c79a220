import { expect, it } from 'vitest';
import { Engine } from '../../src/engine.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { type Graph, operand } from '../../src/graph/ir.ts';
import type { TensorInput } from '../../src/runtime/session.ts';
import { elementCount } from '../../src/tensor/types.ts';
import { worst } from '../../src/verify/compare.ts';

const b = new GraphBuilder();
const input: GraphBuilder['input'] = (...given) => new GraphBuilder().input(...given);
const float = (shape: number[]) => ({ dataType: 'float32' as const, shape });
const numbers = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.3 + seed));
const constant = (shape: number[], seed: number) => b.constant(float(shape), numbers(elementCount(shape), seed));

const [ROWS, WIDTH] = [1003, 64];

/** x through int8 and back, with a scale for each block. */
function throughInt8(newShape: number[]): Graph {
  const x = input('x', float([ROWS, WIDTH]));
  const scales = operand('quantizeScales', { input: x }, { newShape });
  return b.outputs({ y: b.dequantizeLinear(b.quantizeLinear(x, scales), scales) });
}

const table = constant([ROWS, WIDTH], 1);
const steps = b.constant(
  float([WIDTH]),
  numbers(WIDTH, 10).map((x) => 0.01 + x * x),
);
const graphs: Record<string, { graph: Graph; inputs: Record<string, TensorInput> }> = {
  'rows of a table': {
    graph: b.outputs({ y: b.gather(table, input('ids', { dataType: 'uint32', shape: [5] })) }),
    inputs: { ids: [0, 255, 256, 700, ROWS - 1] },
  },
  'the columns of a tied head, with a bias': {
    graph: b.outputs({
      y: b.add(b.matmul(input('x', float([3, WIDTH])), table, { transposeB: true }), constant([ROWS], 2)),
    }),
    inputs: { x: numbers(3 * WIDTH, 3) },
  },
  'the same for so many rows that tiles are used': {
    graph: b.outputs({ y: b.matmul(input('x', float([40, WIDTH])), table, { transposeB: true }) }),
    inputs: { x: numbers(40 * WIDTH, 6) },
  },
  'elementwise, with an operand that repeats': {
    graph: b.outputs({ y: b.relu(b.add(input('x', float([ROWS, WIDTH])), constant([WIDTH], 4))) }),
    inputs: { x: numbers(ROWS * WIDTH, 5) },
  },
  'int8 and back, scales of rows': { graph: throughInt8([ROWS, 1]), inputs: { x: numbers(ROWS * WIDTH, 7) } },
  'int8 and back, scales of groups along rows': {
    graph: throughInt8([ROWS, 2]),
    inputs: { x: numbers(ROWS * WIDTH, 8) },
  },
  'int8 and back, scales that repeat': {
    graph: b.outputs({ y: b.dequantizeLinear(b.quantizeLinear(input('x', float([ROWS, WIDTH])), steps), steps) }),
    inputs: { x: numbers(ROWS * WIDTH, 9) },
  },
};

it('operands larger than a binding are cut into pieces, and nothing else changes', async () => {
  using whole = await Engine.create();
  Object.assign(whole.gpu.caps, { longKernels: false });
  using cut = await Engine.create();
  Object.assign(cut.gpu.caps, { maxBindingBytes: 2 ** 16, longKernels: false }); // a quarter of the table; the same kernels
  for (const [title, { graph, inputs }] of Object.entries(graphs)) {
    for (const weights of ['float32', 'int8'] as const) {
      using one = await whole.build(graph, { weights });
      using many = await cut.build(graph, { weights });
      const steps = many.plan.steps.length + many.plan.prepare.length;
      const inPieces = steps > one.plan.steps.length + one.plan.prepare.length;
      expect(inPieces, `${title}, ${weights}`).toBe(true);
      const [got, want] = [(await many.run(inputs))['y']!, (await one.run(inputs))['y']!];
      expect(worst(got, want), `${title}, ${weights}`).toEqual({ error: 0, index: -1 });
    }
  }
});

it('what cannot be cut is refused with the numbers', async () => {
  using engine = await Engine.create();
  Object.assign(engine.gpu.caps, { maxBindingBytes: 2 ** 16 });
  const graph = b.outputs({ y: b.softmax(input('x', float([2, 16384])), 1, { label: 'head' }) });
  await expect(engine.build(graph)).rejects.toMatchObject({
    code: 'limit-exceeded',
    message: 'head: float32[2,16384] takes 131072 bytes, a binding holds 65536 here',
  });
});
