import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine.ts';
import { variantKey } from '../../src/gpu/wgsl.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Graph } from '../../src/graph/ir.ts';
import { optimise } from '../../src/graph/passes/index.ts';
import { plan, type Step } from '../../src/graph/plan.ts';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import type { Session } from '../../src/runtime/session.ts';
import { type ChoiceStore, NOTHING } from '../../src/tune/store.ts';
import { Tuner } from '../../src/tune/tuner.ts';
import { normwise } from '../../src/verify/compare.ts';
import { caseOf } from '../../src/verify/dispatches.ts';
import { ALONE, graphOf } from '../../src/verify/run.ts';
import type { VerifyRow } from '../../src/verify/verify.ts';
import { freshEngine } from '../support/engine.ts';
import { repositoryFolder } from '../support/files.ts';
import { storeOf } from '../support/store.ts';

const RESNET = repositoryFolder('weights/resnet20-cifar10');
const GPT = repositoryFolder('weights/gpt-shakespeare');
const pixels = Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => Math.sin(i));

const load = async (engine: Engine): Promise<ImageClassifier> =>
  (await engine.load(RESNET, { tune: 'off' })) as ImageClassifier;

/** An engine that remembers in a store of the test; where `breaks` says so, the code of a variant is changed before it is compiled. */
async function engineOn(store: ChoiceStore, breaks: (label: string, code: string) => string = (_, code) => code) {
  const engine = await freshEngine();
  Tuner.on(engine.gpu, store);
  const { device } = engine;
  const create = device.createShaderModule.bind(device);
  device.createShaderModule = ({ code, label = '', ...rest }) => create({ ...rest, label, code: breaks(label, code) });
  return engine;
}

/** Its four elements go where those of its neighbour belong. */
const misplaces = (wanted: string) => (label: string, code: string) => {
  if (label !== wanted) return code;
  expect(code).toMatch(STORES);
  return code.replace(STORES, 'output[i ^ 1u]=');
};

const STORES = /output\[i\] ?=/;

const labelsOf = (session: Session): string[] => session.plan.steps.map(({ candidate }) => candidate.label);

/** The variant that does most of the work of a plan. */
function busiest({ plan: { steps } }: Session): string {
  const work = new Map<string, number>();
  for (const { candidate, cost } of steps) work.set(candidate.label, (work.get(candidate.label) ?? 0) + cost.macs);
  return [...work].sort(([, a], [, b]) => b - a)[0]![0];
}

describe('what ships passes', () => {
  for (const [folder, tasks] of [
    [RESNET, ['conv2d', 'matmul', 'averagePool2d', 'transpose', 'sqrt']],
    [GPT, ['matmul', 'attention', 'layerNormalization', 'gather', 'scatterRows', 'sample']],
  ] as const) {
    it(folder.split('/').at(-1)!, async () => {
      using engine = await engineOn(storeOf());
      using model = await engine.load(folder, { tune: 'off' });
      const { bytes, pipelines } = engine.counters;
      const phases = new Set<string>();
      const seen: VerifyRow[] = [];
      const report = await engine.verify(model, {
        onProgress: ({ phase }) => phases.add(phase),
        onRow: (row) => seen.push(row),
      });
      expect(report.rows.filter(({ verdict }) => verdict !== 'right')).toEqual([]);
      expect(report).toMatchObject({ passed: true, aside: {}, summary: { replaced: 0, failed: 0 } });
      expect(report.summary.checked).toBe(report.rows.length);
      expect(seen).toEqual(report.rows);
      expect(phases).toEqual(new Set(['verify']));
      expect(tasks.filter((op) => !report.rows.some((row) => row.op === op))).toEqual([]);
      // The very pipelines of the model, and nothing stays.
      expect(engine.counters).toMatchObject({ bytes, pipelines });
      const sessions = await model.sessions();
      const variants = sessions.flatMap((session) => [...session.plan.prepare, ...session.plan.steps]);
      expect(new Set(report.rows.map(({ variant }) => variant))).toEqual(
        new Set(variants.map(({ candidate }) => candidate.label)),
      );
      expect(JSON.parse(JSON.stringify(report))).toEqual(report);
      console.log(`${report.rows.length} dispatches of ${report.model} in ${Math.round(report.ms)} ms`);
    });
  }
});

/** A tied table, which some limit cuts into pieces. */
function tied(): Graph {
  const b = new GraphBuilder();
  const table = b.constant({ dataType: 'float32', shape: [1024, 32] }, new Float32Array(32768).fill(0.5));
  const x = b.gather(table, b.input('tokens', { dataType: 'uint32', shape: [3] }));
  return b.outputs({ y: b.matmul(x, table, { transposeB: true }) });
}

it('what is checked is what runs: alone, a node has the same pipelines, numbers and workgroups', async () => {
  using engine = await engineOn(storeOf());
  const { caps } = engine.gpu;
  using resnet = await engine.load(RESNET, { tune: 'off', dtype: 'int8' });
  using gpt = await engine.load(GPT, { tune: 'off', dtype: 'int8' });
  const sessions = [...(await resnet.sessions()), ...(await gpt.sessions())];
  const cut = { ...caps, maxBindingBytes: 2 ** 16 };
  const plans = [
    ...sessions.map((session) => ({ planned: session.plan, caps })),
    ...[{}, { weights: 'int8' as const }].map((options) => ({
      planned: plan(optimise(tied(), options, cut), cut),
      caps: cut,
    })),
  ];
  let pieces = 0;
  for (const { planned, caps: own } of plans) {
    const steps = [...planned.prepare, ...planned.steps];
    for (const node of new Set(steps.map((step) => step.node))) {
      const told = ({ candidate: { variant, params, grid, ranges } }: Step) => [
        variantKey(variant),
        params,
        grid,
        ranges,
      ];
      const test = caseOf(node);
      const wanted = steps.filter((step) => step.node === node).map(told);
      const alone = optimise(graphOf(test, 'float32'), ALONE, own);
      expect(plan(alone, own).steps.map(told), test.title).toEqual(wanted);
      pieces += wanted.length - 1;
    }
  }
  expect(pieces).toBeGreaterThan(2);
});

describe('a shader that is broken', () => {
  it('is caught, replaced and reported; the model is right then, and another that is loaded later', async () => {
    using sound = await engineOn(storeOf());
    using first = await load(sound);
    const broken = busiest((await first.sessions())[0]!);
    const expected = await first.logits(pixels);

    const store = storeOf();
    using engine = await engineOn(store, misplaces(broken));
    using model = await load(engine);
    const [session] = await model.sessions();
    expect(labelsOf(session!)).toContain(broken);
    expect(normwise(await model.logits(pixels), expected)).toBeGreaterThan(0.01);
    const report = await engine.verify(model);

    const faults = report.rows.filter(({ verdict }) => verdict !== 'right');
    expect(faults.length).toBeGreaterThan(0);
    for (const { variant, verdict, fault, error, tolerance, replacedBy } of faults) {
      expect([variant, verdict]).toEqual([broken, 'wrong']);
      expect(error).toBeGreaterThan(tolerance!);
      expect(fault).toMatch(/is .*, expected .*: off by/);
      expect(replacedBy).not.toBe(broken);
      expect(report.rows.find((row) => row.variant === replacedBy)).toMatchObject({ verdict: 'right' });
    }
    expect(report).toMatchObject({ passed: true, summary: { replaced: faults.length, failed: 0 } });
    expect(Object.keys(report.aside)).toEqual([broken]);

    // In the session that was there, and in one that is built now.
    expect((await model.sessions())[0]).toBe(session);
    expect(labelsOf(session!)).not.toContain(broken);
    expect(normwise(await model.logits(pixels), expected)).toBeLessThan(1e-5);
    const two = Float32Array.of(...pixels, ...pixels);
    expect(normwise((await model.logits(two, 2)).subarray(10), expected)).toBeLessThan(1e-5);

    // Elsewhere, with the same memory: no check is needed.
    using later = await engineOn(store, misplaces(broken));
    using again = await load(later);
    expect(normwise(await again.logits(pixels), expected)).toBeLessThan(1e-5);
    expect((await later.verify(again)).rows.map(({ variant }) => variant)).not.toContain(broken);

    // With a driver that is right, what was set aside may come back.
    using repaired = await engineOn(store);
    using model3 = await load(repaired);
    expect(labelsOf((await model3.sessions())[0]!)).not.toContain(broken);
    expect(await repaired.verify(model3, { forget: true })).toMatchObject({ passed: true, aside: {} });
    expect(labelsOf((await model3.sessions())[0]!)).toContain(broken);
    expect(store.kept).toEqual(NOTHING);
    expect(normwise(await model3.logits(pixels), expected)).toBeLessThan(1e-5);
  });

  it('that had its part in the weights at load has it no more', async () => {
    using sound = await engineOn(storeOf());
    using first = await load(sound);
    const expected = await first.logits(pixels);
    using engine = await engineOn(storeOf(), misplaces('binary[float32,mul]'));
    using model = await load(engine);
    const before = engine.counters.bytes;
    expect(normwise(await model.logits(pixels), expected)).toBeGreaterThan(0.01);
    const report = await engine.verify(model);
    expect(report.passed).toBe(true);
    expect(report.rows.filter(({ verdict }) => verdict !== 'right').map(({ variant }) => variant)).toContain(
      'binary[float32,mul]',
    );
    expect(normwise(await model.logits(pixels), expected)).toBeLessThan(1e-5);
    expect(engine.counters.bytes).toBe(before);
  });

  it('and has no substitute leaves the model untrusted', async () => {
    using engine = await engineOn(storeOf(), misplaces('averagePool2d[f32]'));
    using model = await load(engine);
    const report = await engine.verify(model);
    expect(report).toMatchObject({ passed: false, summary: { replaced: 0, failed: 1 } });
    const [fault] = report.rows.filter(({ verdict }) => verdict !== 'right');
    expect(fault).toMatchObject({ variant: 'averagePool2d[f32]', verdict: 'wrong', label: 'pool', count: 1 });
    expect(fault).not.toHaveProperty('replacedBy');
  });

  it('and does not even compile is found without a model', async () => {
    const wanted = 'binary[float32,add]';
    using engine = await engineOn(storeOf(), (label, code) => (label === wanted ? `${code}\nnonsense` : code));
    const b = new GraphBuilder();
    const x = b.input('x', { dataType: 'float32', shape: [2, 4] });
    const graph = b.outputs({ y: b.add(x, x) });
    await expect(engine.build(graph, { tune: 'off' })).rejects.toMatchObject({ code: 'shader-compile' });
    const report = await engine.verify(undefined, { ops: ['add'] });
    const broken = report.rows.filter(({ verdict }) => verdict === 'broken');
    expect(new Set(broken.map(({ variant }) => variant))).toEqual(new Set([wanted]));
    expect(broken.map(({ error, replacedBy }) => [error, replacedBy])).toEqual(
      broken.map(() => [null, 'binary_strided[float32,add]']),
    );
    expect(report.passed).toBe(true);
    using session = await engine.build(graph, { tune: 'off' });
    expect((await session.run({ x: [1, 2, 3, 4, 5, 6, 7, 8] })).y).toEqual(Float32Array.of(2, 4, 6, 8, 10, 12, 14, 16));
  });
});

it('takes a session too, and every candidate where all are asked for', async () => {
  using engine = await engineOn(storeOf());
  const b = new GraphBuilder();
  const x = b.input('x', { dataType: 'float32', shape: [5, 9] });
  using session = await engine.build(b.outputs({ y: b.softmax(x, 1) }), { tune: 'off' });
  const { rows } = await engine.verify(session);
  expect(rows.map(({ variant, label, shape }) => [variant, label, shape])).toEqual([
    [labelsOf(session)[0], 'softmax', '[5,9]'],
  ]);
  const all = await engine.verify(session, { all: true });
  expect(all.rows.map(({ variant }) => variant)).toEqual(session.plan.steps[0]!.candidates.map(({ label }) => label));
  expect(all.summary.right).toBe(all.rows.length);
});

describe('what ends it early', () => {
  it('is an abort, after which nothing stays', async () => {
    using engine = await engineOn(storeOf());
    using model = (await engine.load(GPT, { tune: 'off' })) as TextGenerator;
    const { bytes } = engine.counters;
    for (const after of [0, 3]) {
      const abort = new AbortController();
      const onProgress = ({ loaded }: { loaded: number }): void => void (loaded === after && abort.abort());
      await expect(engine.verify(model, { signal: abort.signal, onProgress })).rejects.toMatchObject({
        code: 'aborted',
      });
      expect(engine.counters.bytes).toBe(bytes);
    }
    expect((await model.logits([1, 2, 3])).every(Number.isFinite)).toBe(true);
  });

  it('is the loss of the device, which names what ran last', async () => {
    using engine = await engineOn(storeOf());
    using model = await load(engine);
    const { bytes } = engine.counters;
    const lost = engine.verify(model, { onRow: () => engine.device.destroy() });
    await expect(lost).rejects.toMatchObject({ code: 'device-lost', message: expect.stringMatching(/\] on \w+ /) });
    expect(engine.counters.bytes).toBe(bytes);
  });
});
