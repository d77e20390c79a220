import { describe, expect, it } from 'vitest';
import type { Caps } from '../../src/gpu/gpu.ts';
import { variantKey } from '../../src/gpu/wgsl.ts';
import type { Candidate } from '../../src/ops/define.ts';
import type { OpCase } from '../../src/verify/case.ts';
import { CASES } from '../../src/verify/cases/index.ts';
import { candidatesOf, canRun, checkCase, floatsOf, graphOf } from '../../src/verify/run.ts';
import { forced, forcedEngine, freshEngine, MODES } from '../support/engine.ts';

const { gpu: usual } = await freshEngine();

const planned = (test: OpCase, caps: Caps): Candidate[] =>
  canRun(test, caps) ? floatsOf(test, caps).flatMap((float) => candidatesOf(test, graphOf(test, float), caps)) : [];

/** Variants that the op suite has for this device as it is. */
const known = new Set(CASES.flatMap((test) => planned(test, usual.caps)).map(({ variant }) => variantKey(variant)));

/** The cases that meet variants which are not among those: all of them, or for each op and kernel the first. */
function casesOf(caps: Caps, all: boolean): { test: OpCase; variants: ReadonlySet<string> }[] {
  const had = new Set<string>();
  return CASES.flatMap((test) => {
    const nameOf = ({ variant }: Candidate): string =>
      all ? variantKey(variant) : `${test.op} ${variant.kernel.name}`;
    const fresh = planned(test, caps).filter(
      (candidate) => !known.has(variantKey(candidate.variant)) && !had.has(nameOf(candidate)),
    );
    for (const candidate of fresh) had.add(nameOf(candidate));
    return fresh.length ? [{ test, variants: new Set(fresh.map(({ variant }) => variantKey(variant))) }] : [];
  });
}

const least = { title: 'the least that WebGPU promises', device: { ...MODES.bare.device, ...MODES.limits.device } };

/** A part of them, but all when that is what the run is for. */
const modes = forced ? [forced].filter((mode) => mode === MODES.gpu) : [least, MODES.gpu];
describe.skipIf(modes.length === 0)('kernel variants of other devices', async () => {
  for (const mode of modes) {
    const { gpu } = await forcedEngine(mode);
    for (const { test, variants } of casesOf(gpu.caps, mode === forced)) {
      const only = ({ variant }: Candidate): boolean => variants.has(variantKey(variant));
      it(`${mode.title}: ${test.title}`, async () => expect((await checkCase(gpu, test, { only })).faults).toEqual([]));
    }
  }
});
