import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adapterName } from '../../src/gpu/adapter.ts';
import type { Candidate } from '../../src/ops/define.ts';
import { CASES } from '../../src/verify/cases/index.ts';
import { candidatesOf, checkCase, floatsOf, graphOf } from '../../src/verify/run.ts';
import { candidateKey, cover, firsts, variantsOf } from '../support/cover.ts';
import { forced, MODES, testEngine } from '../support/engine.ts';
import { parity, scoreOf } from '../support/parity.ts';

const { gpu } = await testEngine();
const every = forced === MODES.every;

const choose = import.meta.env['TILEWRIGHT_FIRSTS'] ? firsts : cover;

/** What is compiled in this run, case by case: everything where that is what it is for, else the cover of it, in Firefox the firsts. */
const lists = await Promise.all(
  CASES.flatMap((test) =>
    floatsOf(test, gpu.caps, every).map((float) => candidatesOf(test, graphOf(test, float), gpu)),
  ),
);
const wanted = forced ? new Set(lists.flat().map(candidateKey)) : choose(lists);
const only = (candidate: Candidate): boolean => wanted.has(candidateKey(candidate));

/** Compiles ahead of the tests, some pipelines at a time: their cases find them ready. What fails is told where it is run. */
async function compileAhead(atATime = 4): Promise<void> {
  const queue = lists.flat().filter(only).values();
  const compile = async (): Promise<void> => {
    for (const candidate of queue)
      for (const variant of variantsOf(candidate)) await gpu.pipelines.get(variant, candidate.label).catch(() => {});
  };
  await Promise.all(Array.from({ length: atATime }, compile));
}

const checked = new Set<string>();
let runs = 0;

/** Those of a GPU are checked beside what this device has (forced.gpu.test.ts). */
const elsewhere = forced?.caps !== undefined;
const title = `kernel variants against their float64 references${forced ? `, ${forced.title}` : ''}`;

describe.skipIf(elsewhere)(title, () => {
  beforeAll(() => void compileAhead());
  for (const op of new Set(CASES.map((test) => test.op))) {
    describe(op, () => {
      for (const test of CASES.filter((other) => other.op === op)) {
        it(test.title, async ({ task }) => {
          const score = scoreOf(parity(task.meta, gpu.card, 'own'), op);
          const { faults, labels } = await checkCase(gpu, test, { every, only });
          for (const label of labels) checked.add(label);
          runs += labels.length;
          expect(faults).toEqual([]);
          score.passed++;
        });
      }
    });
  }
  afterAll(() => {
    console.log(
      `${checked.size} kernel variants checked in ${runs} sessions on ${adapterName(gpu.card)}${gpu.caps.f16 ? '' : ', which computes float16 in float32'}`,
    );
  });
});
