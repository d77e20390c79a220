import { expect, it } from 'vitest';
import { type BuildOptions, buildSession } from '../../src/build/build.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Graph } from '../../src/graph/ir.ts';
import type { Session } from '../../src/runtime/session.ts';
import { Tuner } from '../../src/tune/tuner.ts';
import { normwise } from '../../src/verify/compare.ts';
import { testEngine } from '../support/engine.ts';
import { storeOf } from '../support/store.ts';

const float = (...shape: number[]) => ({ dataType: 'float32' as const, shape });
const waves = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(i * 0.37 + seed));

/** A product of few rows and a convolution that Winograd's form could take. */
function graph(): Graph {
  const b = new GraphBuilder();
  const filter = b.constant(float(8, 8, 3, 3), waves(576, 1));
  const image = b.relu(b.conv2d(b.input('x', float(1, 8, 6, 6)), filter, { padding: [1, 1, 1, 1], label: 'conv' }));
  const rows = b.reshape(image, [2, 144]);
  return b.outputs({ y: b.matmul(rows, b.constant(float(144, 32), waves(144 * 32, 2)), { label: 'fc' }) });
}

const opsOf = ({ plan }: Session): string[] => plan.steps.map(({ node }) => node.op);

it('the forms of a node are measured once each, remembered, and taken from then on', async () => {
  const { gpu } = await testEngine();
  const store = storeOf();
  const options: BuildOptions = { weights: 'int8', activations: 'dynamic', tune: 'full', tuner: new Tuner(gpu, store) };
  const bytes = gpu.counters.bytes;
  const x = { x: waves(288, 3) };
  const session = await buildSession(gpu, graph(), options);
  const { y } = await session.run(x);
  const row = options.tuner!.rows.find(({ candidates }) => candidates.some(({ label }) => label === 'integer'))!;
  expect(row.candidates.map(({ label }) => label).sort()).toEqual(['integer', 'plain']);
  expect(row.label).toBe('fc');
  const measured = Object.entries(store.kept.choices).filter(([key]) => key.startsWith('integer? matmul('));
  expect(measured).toHaveLength(1);
  const integer = measured[0]![1].label === 'integer';
  expect(opsOf(session).includes('matmulInteger')).toBe(integer);
  session.dispose();
  expect(gpu.counters.bytes, 'what was measured is gone').toBe(bytes);

  // What is remembered decides, whatever it says; nothing is measured again.
  for (const label of ['integer', 'plain']) {
    const choices = Object.keys(store.kept.choices).map((key) => [
      key,
      key.startsWith('integer?') ? { label, full: true } : store.kept.choices[key]!,
    ]);
    store.kept = { ...store.kept, choices: Object.fromEntries(choices) };
    const tuner = new Tuner(gpu, store);
    using other = await buildSession(gpu, graph(), { ...options, tuner });
    expect(opsOf(other).includes('matmulInteger')).toBe(label === 'integer');
    const again = tuner.rows.filter(({ candidates }) => candidates.some((one) => one.label === 'plain'));
    expect(again).toEqual([]);
    expect(normwise((await other.run(x)).y!, y!)).toBeLessThan(0.02);
  }
});

it('a float convolution is measured directly and by Winograd', async () => {
  const { gpu } = await testEngine();
  const tuner = new Tuner(gpu, storeOf());
  using session = await buildSession(gpu, graph(), { tune: 'full', tuner });
  const row = tuner.rows.find(({ candidates }) => candidates.some(({ label }) => label === 'winograd'))!;
  expect(row.label).toBe('conv');
  expect(opsOf(session).includes('winogradInput')).toBe(row.chosen === 'winograd');
});
