import { expect, it } from 'vitest';
import { buildSession, planOf } from '../../src/build/build.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { type Graph, type Operand, operand } from '../../src/graph/ir.ts';
import { elementCount } from '../../src/tensor/types.ts';
import { normwise } from '../../src/verify/compare.ts';
import { testEngine } from '../support/engine.ts';

const b = new GraphBuilder();
const input: GraphBuilder['input'] = (...given) => new GraphBuilder().input(...given);
const float = (...shape: number[]) => ({ dataType: 'float32' as const, shape });
const waves = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(i * 0.37 + seed) * Math.cos(i * 0.011 * seed));
const constant = (seed: number, ...shape: number[]): Operand =>
  b.constant(float(...shape), waves(elementCount(shape), seed));

/** x as int8 gives it back: what an integer product must give the same as. */
const rounded = (x: Operand, scale: Operand): Operand => b.dequantizeLinear(b.quantizeLinear(x, scale), scale);

async function run(graph: Graph, x: Float32Array, options: object): Promise<Float32Array> {
  const { gpu } = await testEngine();
  using session = await buildSession(gpu, graph, { weights: 'int8', tune: 'off', ...options });
  return (await session.run({ x })).y as Float32Array;
}

it('integer products give what float products of the same int8 give', async () => {
  const weights = constant(2, 48, 8);
  const product = (x: Operand): Graph => b.outputs({ y: b.relu(b.add(b.matmul(x, weights), constant(3, 8))) });
  const x = input('x', float(4, 48));
  const data = waves(4 * 48, 1);
  const step = 1 / 127;
  const static_ = { activations: 'static', calibration: { fc: step }, integer: () => true };
  const want = await run(product(rounded(x, b.constant(float(1, 1), Float32Array.of(step)))), data, {
    integer: () => false,
  });
  const labelled = b.outputs({ y: b.relu(b.add(b.matmul(x, weights, { label: 'fc' }), constant(3, 8))) });
  expect(normwise(await run(labelled, data, static_), want)).toBeLessThan(2e-6);
  const rows = operand('quantizeScales', { input: x }, { newShape: [4, 1] });
  const byRow = await run(product(rounded(x, rows)), data, { integer: () => false });
  const dynamic = await run(product(x), data, { activations: 'dynamic', integer: () => true });
  expect(normwise(dynamic, byRow)).toBeLessThan(2e-6);
});

it('a convolution of int8 by int8 gives what the float one of the same int8 gives', async () => {
  const x = input('x', float(1, 16, 6, 6));
  const filter = constant(4, 8, 16, 3, 3);
  const convolution = (input: Operand): Graph =>
    b.outputs({ y: b.relu(b.conv2d(input, filter, { padding: [1, 1, 1, 1], label: 'conv' })) });
  const step = 1 / 127;
  const scale = b.constant(float(1, 1, 1, 1), Float32Array.of(step));
  const data = waves(16 * 36, 5);
  const want = await run(convolution(rounded(x, scale)), data, { integer: () => false });
  const got = await run(convolution(x), data, {
    activations: 'static',
    calibration: { conv: step },
    integer: () => true,
  });
  expect(normwise(got, want)).toBeLessThan(2e-6);
});

it('a graph that was trained with quantisation runs in integers, its convolutions and products alike', async () => {
  const bytes = (seed: number, ...shape: number[]): Operand =>
    b.constant(
      { dataType: 'int8', shape },
      Int8Array.from({ length: elementCount(shape) }, (_, i) => 127 * Math.sin(i * 0.7 + seed)),
    );
  const scales = (...shape: number[]): Operand =>
    b.constant(
      float(...shape),
      waves(elementCount(shape), 9).map((x) => 0.01 + 0.001 * Math.abs(x)),
    );
  const zero = (...shape: number[]): Operand =>
    b.constant({ dataType: 'int8', shape }, new Int8Array(elementCount(shape)));
  const step = b.constant(float(1, 1, 1, 1), Float32Array.of(1 / 127));
  const x = b.dequantizeLinear(b.quantizeLinear(input('x', float(1, 16, 4, 4)), step, zero(1, 1, 1, 1)), step);
  const filter = b.dequantizeLinear(bytes(1, 8, 16, 3, 3), scales(8, 1, 1, 1), zero(8, 1, 1, 1));
  const y = b.relu(b.conv2d(x, filter, { padding: [1, 1, 1, 1], label: 'conv' }));
  const wide = b.constant(float(1, 1), Float32Array.of(0.2));
  const rows = b.dequantizeLinear(b.quantizeLinear(b.reshape(y, [1, 128]), wide), wide);
  const graph = b.outputs({ y: b.matmul(rows, b.dequantizeLinear(bytes(2, 128, 12), scales(1, 12)), { label: 'fc' }) });
  const { gpu } = await testEngine();
  const planned = await planOf(gpu, graph, { integer: () => true, tune: 'off' });
  const ops = planned.steps.map(({ node }) => node.op);
  expect(ops.filter((op) => op.endsWith('Integer'))).toEqual(['conv2dInteger', 'matmulInteger']);
  expect(ops).not.toContain('dequantizeLinear');
  const data = waves(256, 6);
  const want = await run(graph, data, { weights: 'float32', integer: () => false });
  const got = await run(graph, data, { weights: 'float32', integer: () => true });
  expect(normwise(got, want)).toBeLessThan(2e-6);
});
