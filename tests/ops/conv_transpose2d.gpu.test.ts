import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Operand } from '../../src/graph/ir.ts';
import { normwise } from '../../src/verify/compare.ts';
import { makeTensor } from '../../src/verify/values.ts';
import { testEngine } from '../support/engine.ts';
import { evaluate } from '../support/evaluate.ts';

const engine = await testEngine();

/** A convolution, then down by a stride and up again beside it: nchw, as WebNN has it. `bias` is the op's own, or is added. */
function upAndDown(bias: 'own' | 'added') {
  const b = new GraphBuilder();
  const constant = (...shape: number[]): Operand =>
    b.constant({ dataType: 'float32', shape }, makeTensor({ shape }, 'float32', 0, `${shape}`).data);
  const x = b.input('x', { dataType: 'float32', shape: [2, 4, 7, 8] });
  const wide = b.relu(b.conv2d(x, constant(4, 4, 3, 3), { padding: [1, 1, 1, 1] }));
  const down = b.relu(b.conv2d(wide, constant(8, 4, 3, 3), { padding: [1, 1, 1, 1], strides: [2, 2] }));
  const up = b.convTranspose2d(down, constant(8, 4, 3, 3), {
    padding: [1, 1, 1, 1],
    strides: [2, 2],
    outputPadding: [0, 1],
    ...(bias === 'own' && { bias: constant(4) }),
  });
  const biased = bias === 'own' ? up : b.add(up, constant(1, 4, 1, 1));
  return b.outputs({ y: b.relu(b.add(biased, wide)) });
}

const { data } = makeTensor({ shape: [2, 4, 7, 8] }, 'float32', 0, 'x');

describe('convTranspose2d in a graph', () => {
  for (const bias of ['own', 'added'] as const) {
    const graph = upAndDown(bias);
    const want = evaluate(graph, { x: data })['y']!;

    it(`bias ${bias}, fused: bias, residual and activation go into the kernel, and no transpose is left between`, async () => {
      using session = await engine.build(graph);
      const labels = session.plan.steps.map(({ candidate }) => candidate.label);
      expect(labels.map((label) => label.replace(/^conv2d.*/, 'conv2d'))).toEqual([
        'transpose[b32]',
        'conv2d',
        'conv2d',
        'convTranspose2d[f32,bias_residual_relu]',
        'transpose[b32]',
      ]);
      expect(normwise((await session.run({ x: data }))['y']!, want.data)).toBeLessThan(1e-6);
    });

    it(`bias ${bias}, not fused`, async () => {
      using session = await engine.build(graph, { without: ['fuse'] });
      expect(session.plan.steps.length).toBeGreaterThan(5);
      expect(normwise((await session.run({ x: data }))['y']!, want.data)).toBeLessThan(1e-6);
    });
  }

  it('weights in int8 and float16 are read as they lie', async () => {
    const graph = upAndDown('own');
    const want = evaluate(graph, { x: data })['y']!;
    for (const [weights, tag, allowed] of [
      ['int8', 'q8', 0.01],
      ['float16', 'half', 1e-3],
    ] as const) {
      using session = await engine.build(graph, { weights });
      expect(session.plan.steps.map(({ candidate }) => candidate.label).join()).toContain(
        `convTranspose2d[f32,${tag},`,
      );
      expect(normwise((await session.run({ x: data }))['y']!, want.data)).toBeLessThan(allowed);
    }
  });
});
