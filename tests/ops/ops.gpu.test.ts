import { afterAll, describe, expect, it } from 'vitest';
import { adapterName } from '../../src/gpu/adapter.ts';
import { CASES } from '../../src/verify/cases/index.ts';
import { checkCase } from '../../src/verify/run.ts';
import { forced, testEngine } from '../support/engine.ts';
import { parity, scoreOf } from '../support/parity.ts';

const { gpu } = await testEngine();
const checked = new Set<string>();
let runs = 0;

describe(`every kernel variant against its float64 reference${forced ? `, ${forced.title}` : ''}`, () => {
  for (const op of new Set(CASES.map((test) => test.op))) {
    describe(op, () => {
      for (const test of CASES.filter((other) => other.op === op)) {
        it(test.title, async ({ task }) => {
          const score = scoreOf(parity(task.meta, gpu.card, 'own'), op);
          const { faults, labels } = await checkCase(gpu, test, { every: Boolean(forced) });
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
