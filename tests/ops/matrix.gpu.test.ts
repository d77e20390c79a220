import { afterAll, describe, expect, it } from 'vitest';
import type { Candidate } from '../../src/ops/define.ts';
import { CASES } from '../../src/verify/cases/index.ts';
import { candidatesOf, checkCase, floatsOf, graphOf } from '../../src/verify/run.ts';
import { pairsOf } from '../support/cover.ts';
import { forced, MODES } from '../support/engine.ts';
import { matrixEngine } from '../support/matrices.ts';

const every = forced === MODES.every;
const engine = await matrixEngine();
const { gpu } = engine;
afterAll(() => engine.dispose());

const planned = await Promise.all(
  CASES.map(async (test) => {
    const lists = floatsOf(test, gpu.caps).map((float) => candidatesOf(test, graphOf(test, float), gpu));
    const candidates = (await Promise.all(lists)).flat();
    return { test, candidates: candidates.filter(({ experimental }) => experimental !== undefined) };
  }),
);

/** The cases that link a kernel of an op with a module that none before did; all where that is what the run is for. */
const met = new Set<string>();
const cases = planned.flatMap(({ test, candidates }) => {
  const wanted = candidates.filter((candidate) => {
    const pairs = [candidate.label.replace(/^.*,/, `${test.op} `), ...pairsOf(candidate)];
    const news = every || pairs.some((pair) => !met.has(pair));
    for (const pair of pairs) met.add(pair);
    return news;
  });
  return wanted.length ? [{ test, labels: wanted.map(({ label }) => label) }] : [];
});

describe.skipIf(!gpu.caps.subgroups)('products by subgroup matrices, with a stand-in in their place', () => {
  it('every op that has them has a case, in each of its types', () => {
    const families = new Set(planned.flatMap(({ candidates }) => candidates.map(({ experimental }) => experimental)));
    const ops = ['matmul_matrix[f16]', 'conv2d_matrix[f16]', 'matmulInteger_matrix[i8]', 'conv2dInteger_matrix[i8]'];
    expect([...families].sort()).toEqual((gpu.caps.f16 ? ops : ops.filter((name) => name.endsWith('i8]'))).sort());
  });

  for (const { test, labels } of cases)
    it(test.title, async () => {
      const only = ({ label }: Candidate): boolean => labels.includes(label);
      expect((await checkCase(gpu, test, { only })).faults).toEqual([]);
    });
});
