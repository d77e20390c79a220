import { describe, expect, it } from 'vitest';
import type { Caps } from '../../src/gpu/gpu.ts';
import { variantKey } from '../../src/gpu/wgsl.ts';
import type { Candidate } from '../../src/ops/define.ts';
import type { OpCase } from '../../src/verify/case.ts';
import { CASES } from '../../src/verify/cases/index.ts';
import { candidatesOf, canRun, checkCase, floatsOf, graphOf } from '../../src/verify/run.ts';
import { forced, forcedEngine, MODES, testEngine } from '../support/engine.ts';

const { gpu: usual } = await testEngine();

const planned = (test: OpCase, caps: Caps): Candidate[] =>
  canRun(test, caps) ? floatsOf(test, caps).flatMap((float) => candidatesOf(test, graphOf(test, float), caps)) : [];

/** Variants that the op suite has for this device as it is. */
const known = new Set(CASES.flatMap((test) => planned(test, usual.caps)).map(({ variant }) => variantKey(variant)));

/** For each op and kernel the first case that meets variants which are not among those. */
function casesOf(caps: Caps): { test: OpCase; variants: ReadonlySet<string> }[] {
  const had = new Set<string>();
  return CASES.flatMap((test) => {
    const fresh = planned(test, caps).filter(
      ({ variant }) => !known.has(variantKey(variant)) && !had.has(`${test.op} ${variant.kernel.name}`),
    );
    for (const { variant } of fresh) had.add(`${test.op} ${variant.kernel.name}`);
    return fresh.length ? [{ test, variants: new Set(fresh.map(({ variant }) => variantKey(variant))) }] : [];
  });
}

const least = { title: 'the least that WebGPU promises', device: { ...MODES.bare.device, ...MODES.limits.device } };

/** A part of what `npm test -- exhaustive` runs whole. */
describe.skipIf(forced)('kernel variants of other devices', async () => {
  for (const mode of [least, MODES.gpu]) {
    const { gpu } = await forcedEngine(mode);
    for (const { test, variants } of casesOf(gpu.caps)) {
      const only = ({ variant }: Candidate): boolean => variants.has(variantKey(variant));
      it(`${mode.title}: ${test.title}`, async () => expect((await checkCase(gpu, test, { only })).faults).toEqual([]));
    }
  }
});
