import { describe, expect, it } from 'vitest';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { variantKey } from '../../src/gpu/wgsl.ts';
import type { Candidate } from '../../src/ops/define.ts';
import type { OpCase } from '../../src/verify/case.ts';
import { CASES } from '../../src/verify/cases/index.ts';
import { candidatesOf, checkCase, floatsOf, graphOf } from '../../src/verify/run.ts';
import { forced, forcedEngine, freshEngine, MODES } from '../support/engine.ts';

const { gpu: usual } = await freshEngine();

async function planned(test: OpCase, gpu: Gpu): Promise<Candidate[]> {
  const lists = floatsOf(test, gpu.caps).map((float) => candidatesOf(test, graphOf(test, float), gpu));
  return (await Promise.all(lists)).flat();
}

/** Variants that the op suite has for this device as it is. */
const had = await Promise.all(CASES.map((test) => planned(test, usual)));
const known = new Set(had.flat().map(({ variant }) => variantKey(variant)));

/** The cases that meet variants which are not among those: all of them, or for each op and kernel the first. */
async function casesOf(gpu: Gpu, all: boolean): Promise<{ test: OpCase; variants: ReadonlySet<string> }[]> {
  const met = new Set<string>();
  const cases: { test: OpCase; variants: ReadonlySet<string> }[] = [];
  for (const test of CASES) {
    const nameOf = ({ variant }: Candidate): string =>
      all ? variantKey(variant) : `${test.op} ${variant.kernel.name}`;
    const fresh = (await planned(test, gpu)).filter(
      (candidate) => !known.has(variantKey(candidate.variant)) && !met.has(nameOf(candidate)),
    );
    for (const candidate of fresh) met.add(nameOf(candidate));
    if (fresh.length) cases.push({ test, variants: new Set(fresh.map(({ variant }) => variantKey(variant))) });
  }
  return cases;
}

const least = { title: 'the least that WebGPU promises', device: { ...MODES.bare.device, ...MODES.limits.device } };

/** A part of them, but all when that is what the run is for. */
const modes = forced ? [forced].filter((mode) => mode === MODES.gpu) : [least, MODES.gpu];
describe.skipIf(modes.length === 0)('kernel variants of other devices', async () => {
  for (const mode of modes) {
    const { gpu } = await forcedEngine(mode);
    for (const { test, variants } of await casesOf(gpu, mode === forced)) {
      const only = ({ variant }: Candidate): boolean => variants.has(variantKey(variant));
      it(`${mode.title}: ${test.title}`, async () => expect((await checkCase(gpu, test, { only })).faults).toEqual([]));
    }
  }
});
