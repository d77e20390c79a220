import { expect, it } from 'vitest';
import { buildSession } from '../../src/build/build.ts';
import { constant, test } from '../../src/verify/case.ts';
import { normwise } from '../../src/verify/compare.ts';
import { graphOf, runsOf } from '../../src/verify/run.ts';
import { testEngine } from '../support/engine.ts';

it("a convolution by Winograd's F(2×2, 3×3) is within the bound of a matrix product, as the direct one is", async () => {
  const { gpu } = await testEngine();
  const nhwc = { inputLayout: 'nhwc', filterLayout: 'hwio', padding: [1, 1, 1, 0], activation: { name: 'relu' } };
  const layer = test(
    'conv2d',
    { input: [2, 5, 6, 256], filter: constant(3, 3, 256, 16), bias: [16], residual: [2, 5, 5, 16] },
    nhwc,
  );
  const graph = graphOf(layer, 'float32');
  const [run] = runsOf(layer, 'float32');
  const off: number[] = [];
  for (const wanted of [false, true]) {
    using session = await buildSession(gpu, graph, { winograd: () => wanted });
    expect(session.steps).toHaveLength(wanted ? 3 : 1);
    const { output } = await session.run(run!.data);
    off.push(normwise(output!, run!.want[0]!.data));
  }
  const [direct, winograd] = off as [number, number];
  console.log(`off by ${direct.toExponential(1)} of the norm directly, ${winograd.toExponential(1)} by Winograd`);
  expect(direct).toBeLessThan(2e-6);
  expect(winograd).toBeLessThan(2e-6);
});
