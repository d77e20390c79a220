import { expect, it } from 'vitest';
import { buildSession } from '../../src/build/build.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Graph, Operand } from '../../src/graph/ir.ts';
import type { Session } from '../../src/runtime/session.ts';
import { Tuner } from '../../src/tune/tuner.ts';
import { normwise } from '../../src/verify/compare.ts';
import { freshEngine } from '../support/engine.ts';
import { storeOf } from '../support/store.ts';

/** Two products of one shape, one of another, and an op with a single kernel. */
function graph(): Graph {
  const b = new GraphBuilder();
  const float = (...shape: number[]) => ({ dataType: 'float32' as const, shape });
  const square = b.constant(
    float(32, 32),
    Float32Array.from({ length: 1024 }, (_, i) => Math.sin(i)),
  );
  const narrow = b.constant(
    float(32, 12),
    Float32Array.from({ length: 384 }, (_, i) => Math.cos(i)),
  );
  const x = b.matmul(b.relu(b.matmul(b.input('x', float(24, 32)), square)), square);
  return b.outputs({ y: b.softmax(b.matmul(b.neg(x), narrow), 1) });
}

const input = { x: Float32Array.from({ length: 24 * 32 }, (_, i) => Math.sin(i * 0.7)) };

it('tuning changes no result, measures each shape once, and is remembered', async () => {
  using engine = await freshEngine();
  const { gpu } = engine;
  using plain = await engine.build(graph(), { tune: 'off' });
  const { y: expected } = await plain.run(input);
  const store = storeOf();
  const tuner = new Tuner(gpu, store);
  const phases: string[] = [];
  const bufferOf = buffersOf(plain);
  await tuner.settle(plain.plan, 'fast', bufferOf, { onProgress: ({ phase }) => phases.push(phase) });
  const shapes = tuner.rows.map(({ shape, count }) => `${count} ${shape}`);
  expect(shapes.slice(0, 1)).toEqual(['1 [24,32] · [32,32]']); // relu is in the epilogue of the other
  expect(shapes).toContain('1 [24,32] · [32,12]');
  expect(new Set(phases)).toEqual(new Set(['tune']));
  for (const { candidates, chosen } of tuner.rows) {
    expect(candidates.length).toBeGreaterThan(1);
    expect(candidates.every(({ ms }) => ms > 0)).toBe(true);
    const [guess] = candidates;
    const won = candidates.find(({ label }) => label === chosen)!;
    expect(!(won.ms <= guess!.ms)).toBe(false); // never slower than the table's guess, as measured
  }
  using tuned = await buildSession(gpu, graph(), { choose: tuner.choose });
  const { y } = await tuned.run(input);
  expect(normwise(y!, expected!)).toBeLessThan(2e-6);

  const again = new Tuner(gpu, store);
  await again.recall();
  await again.settle(plain.plan, 'fast', bufferOf);
  expect(again.rows).toEqual([]);
  expect(tuned.plan.steps.map(({ candidate }) => candidate.label)).toEqual(
    tuned.plan.steps.map(({ candidates, node }) => again.choose(candidates, node).label),
  );
  await again.forget();
  expect(store.kept.choices).toEqual({});
});

it('what is remembered is taken without measuring, and an unknown label is not', async () => {
  using engine = await freshEngine();
  using plain = await engine.build(graph(), { tune: 'off' });
  const tuner = new Tuner(engine.gpu, storeOf());
  await tuner.settle(plain.plan, 'fast', buffersOf(plain));
  const step = plain.plan.steps.find(({ node }) => node.op === 'matmul')!;
  const store = storeOf();
  await new Tuner(engine.gpu, store).settle(plain.plan, 'fast', buffersOf(plain));
  const [key] = Object.keys(store.kept.choices).filter((name) =>
    name.includes(step.candidates.map((c) => c.label).join(' ')),
  );
  const other = step.candidates[1]!.label;
  const chooser = async (label: string): Promise<string> => {
    const tunerOf = new Tuner(engine.gpu, storeOf({ choices: { [key!]: { label, full: false } } }));
    await tunerOf.recall();
    return tunerOf.choose(step.candidates, step.node).label;
  };
  expect(await chooser(other)).toBe(other);
  expect(await chooser('gone')).toBe(step.candidates[0]!.label);
});

it('what was set aside is not taken where there is another, whatever was measured; and is remembered', async () => {
  using engine = await freshEngine();
  using plain = await engine.build(graph(), { tune: 'off' });
  const { candidates, node } = plain.plan.steps.find((step) => step.node.op === 'matmul')!;
  const softmax = plain.plan.steps.find((step) => step.node.op === 'softmax')!;
  const [first, second] = candidates.map(({ label }) => label);
  const store = storeOf();
  const tuner = new Tuner(engine.gpu, store);
  await tuner.settle(plain.plan, 'fast', buffersOf(plain));
  const winner = tuner.choose(candidates, node).label;
  await tuner.setAside(winner, 'wrong');
  await tuner.setAside(first!, 'wrong');
  for (const { label } of softmax.candidates) await tuner.setAside(label, 'wrong');
  const later = new Tuner(engine.gpu, store);
  await later.recall();
  expect(Object.keys(later.aside)).toEqual([
    ...new Set([winner, first, ...softmax.candidates.map(({ label }) => label)]),
  ]);
  for (const choose of [later.choose, later.guess]) {
    expect([winner, first]).not.toContain(choose(candidates, node).label);
    expect(choose(softmax.candidates, softmax.node)).toBe(softmax.candidates[0]); // there is nothing else
  }
  await later.settle(plain.plan, 'fast', buffersOf(plain));
  expect(later.rows.flatMap((row) => row.candidates.map(({ label }) => label))).not.toContain(winner);
  // However a session is built.
  using session = await engine.build(graph(), { tune: 'off', tuner: later });
  expect(session.plan.steps.map(({ candidate }) => candidate.label)).not.toContain(first);
  await later.reinstate();
  expect(store.kept.aside).toEqual({});
  expect([first, second]).toContain(later.guess(candidates, node).label);
  expect(later.guess(candidates, node).label).toBe(first);
});

it('a session that is tuned while it is built gives the same numbers; states are left alone', async () => {
  using engine = await freshEngine();
  const stateful = (): Graph => {
    const b = new GraphBuilder();
    const cache = b.state('cache', { dataType: 'float32', shape: [8, 8] });
    const rows = b.input('rows', { dataType: 'float32', shape: [1, 8] });
    const at = b.input('at', { dataType: 'uint32', shape: [1] });
    const written = b.scatterRows(cache, rows, at, { column: 0 });
    return b.outputs({
      y: b.matmul(written, b.constant({ dataType: 'float32', shape: [8, 8] }, new Float32Array(64).fill(1))),
    });
  };
  using session = await engine.build(stateful(), { tune: 'fast', tuner: new Tuner(engine.gpu, storeOf()) });
  const { y } = await session.run({ rows: new Float32Array(8).fill(2), at: [3] });
  const rows = Array.from({ length: 8 }, (_, i) => [...(y as Float32Array).subarray(8 * i, 8 * i + 8)]);
  expect(rows.map(([first]) => first)).toEqual([0, 0, 0, 16, 0, 0, 0, 0]);
});

it('an abort ends tuning, and nothing stays on the device', async () => {
  using engine = await freshEngine();
  const before = engine.counters.bytes;
  const abort = new AbortController();
  const built = engine.build(graph(), {
    tune: 'full',
    tuner: new Tuner(engine.gpu, storeOf()),
    signal: abort.signal,
    onProgress: ({ phase }) => phase === 'tune' && abort.abort(),
  });
  await expect(built).rejects.toMatchObject({ code: 'aborted' });
  expect(engine.counters.bytes).toBe(before);
});

const buffersOf =
  (session: Session) =>
  (operand: Operand): GPUBuffer =>
    session.bufferOf(operand)!;
