import { describe, expect, it } from 'vitest';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { Candidate } from '../../src/ops/define.ts';
import type { OpCase } from '../../src/verify/case.ts';
import { CASES } from '../../src/verify/cases/index.ts';
import { candidatesOf, checkCase, floatsOf, graphOf } from '../../src/verify/run.ts';
import { candidateKey, pairsOf } from '../support/cover.ts';
import { forced, forcedEngine, freshEngine, MODES } from '../support/engine.ts';

const { gpu: usual } = await freshEngine();

async function planned(test: OpCase, gpu: Gpu): Promise<Candidate[]> {
  const lists = floatsOf(test, gpu.caps).map((float) => candidatesOf(test, graphOf(test, float), gpu));
  return (await Promise.all(lists)).flat();
}

/** Of the op suite for this device as it is: its variants, and what they are linked of. */
const had = (await Promise.all(CASES.map((test) => planned(test, usual)))).flat();
const known = new Set(had.map(candidateKey));
const knownPairs = new Set(had.flatMap(pairsOf));

/**
 * The cases that meet variants which are not among those: all of them, or one for each op and kernel, and as many more as link a
 * kernel with a module that none before did.
 */
async function casesOf(gpu: Gpu, all: boolean): Promise<{ test: OpCase; variants: ReadonlySet<string> }[]> {
  const met = new Set(knownPairs);
  const cases: { test: OpCase; variants: ReadonlySet<string> }[] = [];
  for (const test of CASES) {
    const variants = new Set<string>();
    for (const candidate of await planned(test, gpu)) {
      const key = candidateKey(candidate);
      const names = all ? [key] : [`${test.op} ${candidate.variant.kernel.name}`, ...pairsOf(candidate)];
      if (known.has(key) || names.every((name) => met.has(name))) continue;
      for (const name of names) met.add(name);
      variants.add(key);
    }
    if (variants.size) cases.push({ test, variants });
  }
  return cases;
}

const least = { title: 'the least that WebGPU promises', device: { ...MODES.bare.device, ...MODES.limits.device } };

/** A part of them, but all when that is what the run is for. */
const modes = forced ? [forced].filter(({ caps }) => caps) : [least, MODES.gpu];
describe.skipIf(modes.length === 0)('kernel variants of other devices', async () => {
  for (const mode of modes) {
    const { gpu } = await forcedEngine(mode);
    for (const { test, variants } of await casesOf(gpu, mode === forced)) {
      const only = (candidate: Candidate): boolean => variants.has(candidateKey(candidate));
      it(`${mode.title}: ${test.title}`, async () => expect((await checkCase(gpu, test, { only })).faults).toEqual([]));
    }
  }
});
