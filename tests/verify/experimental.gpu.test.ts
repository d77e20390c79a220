import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine.ts';
import { leaf, operand } from '../../src/graph/ir.ts';
import type { Candidate } from '../../src/ops/define.ts';
import type { Session } from '../../src/runtime/session.ts';
import { Tuner } from '../../src/tune/tuner.ts';
import { freshEngine, testEngine } from '../support/engine.ts';
import { MATRICES, matrixEngine } from '../support/matrices.ts';
import { storeOf } from '../support/store.ts';

const FAMILY = 'matmulInteger_matrix[i8]';
const ONLY = { ops: ['matmulInteger'] };
const [M, K, N] = [20, 128, 36];

/** int8 by int8: what it computes can be compared bit by bit. */
function product(engine: Engine, tune: 'off' | 'fast' = 'off'): Promise<Session> {
  const a = leaf('input', { dataType: 'int8', shape: [M, K] }, { name: 'x' });
  const b = leaf('input', { dataType: 'int8', shape: [N, K] }, { name: 'y' });
  return engine.build({ outputs: { y: operand('matmulInteger', { a, b }) } }, { tune });
}

const x = Int8Array.from({ length: M * K }, (_, i) => ((i * 37) % 255) - 127);
const y = Int8Array.from({ length: N * K }, (_, i) => ((i * 91) % 255) - 127);
const expected = Int32Array.from({ length: M * N }, (_, i) => {
  const [row, column] = [Math.floor(i / N), i % N];
  return x.subarray(row * K, (row + 1) * K).reduce((sum, a, k) => sum + a * y[column * K + k]!, 0);
});

const stepOf = (session: Session) => session.plan.steps[0]!;
const isExperimental = ({ experimental }: Candidate): boolean => experimental !== undefined;

/** Multiplies with another column of B. */
const breaks = (code: string): string => {
  expect(code).toMatch(OTHER);
  return code.replace(OTHER, 'column%SIDE+3u-c');
};
const OTHER = 'column%SIDE+c';

const { subgroups } = (await testEngine()).gpu.caps;
describe.skipIf(!subgroups)('a family of experimental kernels', () => {
  it('is off until its cases are right here; then it is the first choice, and remembered', async () => {
    const store = storeOf();
    using engine = await matrixEngine({ store });
    using before = await product(engine, 'fast');
    expect(stepOf(before).candidates.some(isExperimental)).toBe(true);
    expect(isExperimental(stepOf(before).candidate)).toBe(false);
    const tuner = Tuner.on(engine.gpu);
    const measured = tuner.rows.flatMap(({ candidates }) => candidates.map(({ label }) => label));
    expect(measured.length).toBeGreaterThan(1);
    expect(measured.filter((label) => label.includes('_matrix['))).toEqual([]);

    const report = await engine.verify(undefined, ONLY);
    expect(report).toMatchObject({ passed: true, aside: {}, experimental: { [FAMILY]: null } });
    const rows = report.rows.filter(({ variant }) => variant.includes('_matrix['));
    expect(rows.length).toBeGreaterThan(1);
    expect(rows.filter(({ verdict }) => verdict !== 'right')).toEqual([]);

    using session = await product(engine);
    expect(stepOf(session).candidate).toMatchObject({ experimental: FAMILY });
    expect((await session.run<Int32Array>({ x, y })).y).toEqual(expected);
    // What was measured without them does not count any more.
    expect(tuner.choose(stepOf(session).candidates, stepOf(session).node)).toMatchObject({ experimental: FAMILY });

    using later = await matrixEngine({ store });
    using again = await product(later);
    expect(stepOf(again).candidate).toMatchObject({ experimental: FAMILY });
  });

  it('that is wrong in one case is set aside by its name, until that is forgotten', async () => {
    const store = storeOf();
    using engine = await matrixEngine({ store, breaks });
    const report = await engine.verify(undefined, ONLY);
    const faults = report.rows.filter(({ verdict }) => verdict !== 'right');
    expect(faults.length).toBeGreaterThan(0);
    for (const { variant, replacedBy } of faults) {
      expect(variant).toMatch(/^matmulInteger_matrix\[/);
      expect(replacedBy).not.toMatch(/_matrix\[/);
    }
    expect(report).toMatchObject({ passed: true, aside: {}, summary: { failed: 0 } });
    expect(report.experimental[FAMILY]).toMatch(/^matmulInteger_matrix\[.* on matmulInteger .*: .*expected .*off by/);
    expect(Object.keys(report.experimental)).toEqual([FAMILY]);
    using session = await product(engine);
    expect(isExperimental(stepOf(session).candidate)).toBe(false);
    expect((await session.run<Int32Array>({ x, y })).y).toEqual(expected);
    const second = await engine.verify(undefined, ONLY);
    expect(second.rows.filter(({ variant }) => variant.includes('_matrix['))).toEqual([]);
    expect(second.experimental).toEqual(report.experimental);

    using repaired = await matrixEngine({ store });
    expect((await repaired.verify(undefined, { ...ONLY, forget: true })).experimental).toEqual({ [FAMILY]: null });
  });

  it('that the device does not even compile is set aside too', async () => {
    using engine = await freshEngine();
    Tuner.on(engine.gpu, storeOf());
    Object.assign(engine.gpu.caps, { software: false, subgroupMatrices: MATRICES });
    const report = await engine.verify(undefined, ONLY);
    expect(report.rows.filter(({ verdict }) => verdict === 'broken').length).toBeGreaterThan(0);
    expect(report).toMatchObject({
      passed: true,
      experimental: { [FAMILY]: expect.stringMatching(/subgroup_matrix/) },
    });
    using session = await product(engine);
    expect((await session.run<Int32Array>({ x, y })).y).toEqual(expected);
  });

  it('that turns out to be wrong for a model is set aside as a whole', async () => {
    const store = storeOf({ experimental: { [FAMILY]: null } });
    using engine = await matrixEngine({ store, breaks });
    using session = await product(engine);
    expect(stepOf(session).candidate).toMatchObject({ experimental: FAMILY });
    const report = await engine.verify(session);
    expect(report).toMatchObject({ passed: true, aside: {}, summary: { replaced: 1, failed: 0 } });
    expect(report.experimental[FAMILY]).toMatch(/off by/);
    expect(isExperimental(stepOf(session).candidate)).toBe(false);
    expect((await session.run<Int32Array>({ x, y })).y).toEqual(expected);
  });
});

it('is no candidate where the device lacks the feature', async () => {
  using engine = await freshEngine();
  expect(engine.gpu.caps.subgroupMatrices).toEqual([]);
  using session = await product(engine);
  expect(stepOf(session).candidates.filter(isExperimental)).toEqual([]);
});
