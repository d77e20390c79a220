import { describe, expect, it } from 'vitest';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { variantKey } from '../../src/gpu/wgsl.ts';
import type { Candidate } from '../../src/ops/define.ts';
import type { OpCase } from '../../src/verify/case.ts';
import { CASES } from '../../src/verify/cases/index.ts';
import { candidatesOf, checkCase, floatsOf, graphOf } from '../../src/verify/run.ts';
import { forced, forcedEngine, MODES, testEngine } from '../support/engine.ts';

const { gpu: usual } = await testEngine();

async function planned(test: OpCase, gpu: Gpu): Promise<Candidate[]> {
  const lists = floatsOf(test, gpu.caps).map((float) => candidatesOf(test, graphOf(test, float), gpu));
  return (await Promise.all(lists)).flat();
}

/** Variants that the op suite has for this device as it is. */
const had = await Promise.all(CASES.map((test) => planned(test, usual)));
const known = new Set(had.flat().map(({ variant }) => variantKey(variant)));

/** For each op and kernel the first case that meets variants which are not among those. */
async function casesOf(gpu: Gpu): Promise<{ test: OpCase; variants: ReadonlySet<string> }[]> {
  const met = new Set<string>();
  const cases: { test: OpCase; variants: ReadonlySet<string> }[] = [];
  for (const test of CASES) {
    const fresh = (await planned(test, gpu)).filter(
      ({ variant }) => !known.has(variantKey(variant)) && !met.has(`${test.op} ${variant.kernel.name}`),
    );
    for (const { variant } of fresh) met.add(`${test.op} ${variant.kernel.name}`);
    if (fresh.length) cases.push({ test, variants: new Set(fresh.map(({ variant }) => variantKey(variant))) });
  }
  return cases;
}

const least = { title: 'the least that WebGPU promises', device: { ...MODES.bare.device, ...MODES.limits.device } };

/** A part of what `npm test -- exhaustive` runs whole. */
describe.skipIf(forced)('kernel variants of other devices', async () => {
  for (const mode of [least, MODES.gpu]) {
    const { gpu } = await forcedEngine(mode);
    for (const { test, variants } of await casesOf(gpu)) {
      const only = ({ variant }: Candidate): boolean => variants.has(variantKey(variant));
      it(`${mode.title}: ${test.title}`, async () => expect((await checkCase(gpu, test, { only })).faults).toEqual([]));
    }
  }
});
