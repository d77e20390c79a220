import { afterAll, describe, expect, it } from 'vitest';
import { adapterName } from '../../src/gpu/adapter.ts';
import { CASES } from '../../src/verify/cases/index.ts';
import { checkCase, needsF16 } from '../../src/verify/run.ts';
import { testEngine } from '../support/engine.ts';

const { gpu } = await testEngine();
/** Cases that are about float16 run where the device has it. */
const cases = CASES.filter((test) => gpu.caps.f16 || !needsF16(test));
const checked = new Set<string>();
let runs = 0;

describe('every kernel variant against its float64 reference', () => {
  for (const op of new Set(cases.map((test) => test.op))) {
    describe(op, () => {
      for (const test of cases.filter((other) => other.op === op)) {
        it(test.title, async () => {
          const { faults, labels } = await checkCase(gpu, test);
          for (const label of labels) checked.add(label);
          runs += labels.length;
          expect(faults).toEqual([]);
        });
      }
    });
  }
  afterAll(() => {
    console.log(
      `${checked.size} kernel variants checked in ${runs} sessions on ${adapterName(gpu.card)}${gpu.caps.f16 ? '' : ', which has no float16'}`,
    );
  });
});
