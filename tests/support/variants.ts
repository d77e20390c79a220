import type { Caps } from '../../src/gpu/gpu.ts';
import { type Variant, variantKey } from '../../src/gpu/wgsl.ts';
import { leaf } from '../../src/graph/ir.ts';
import { optimise } from '../../src/graph/passes/index.ts';
import { plan, type Step } from '../../src/graph/plan.ts';
import { checkCandidates } from '../../src/ops/finite.ts';
import { PICTURE_FORMS, pictureCandidates } from '../../src/ops/picture.ts';
import { CASES } from '../../src/verify/cases/index.ts';
import { floatsOf, graphOf } from '../../src/verify/run.ts';
import { capsOf } from './caps.ts';
import { MATRICES } from './matrices.ts';

/** Adapters that candidates depend on: a GPU with many registers, and with few; one that computes on the CPU, one that also compiles long kernels fast. */
export const ADAPTERS: readonly Caps[] = [
  { software: false, longKernels: false, packedDot: true, subgroupMatrices: MATRICES },
  { software: true, longKernels: false, packedDot: false },
  { software: true, longKernels: true, packedDot: true },
  { software: false, longKernels: false, packedDot: true, manyRegisters: false },
].map((kind) => capsOf({ ...kind, f16: true, subgroups: true, minSubgroupSize: 4 }));

export interface Dispatch extends Step {
  readonly title: string;
  readonly caps: Caps;
}

/** Every dispatch of every case on every kind of adapter: each candidate stands for the step that would run it. */
export function* dispatches(adapters: readonly Caps[] = ADAPTERS): Generator<Dispatch> {
  for (const test of CASES) {
    for (const float of floatsOf(test, { ...adapters[0]!, f16: true, longKernels: true })) {
      const graph = optimise(graphOf(test, float));
      for (const caps of adapters) {
        const { steps, prepare } = plan(graph, caps);
        for (const step of [...steps, ...prepare]) {
          const results = Object.entries(step.writes).filter(([, { op }]) => op !== 'scratch');
          for (const whole of step.candidates) {
            const scratch = Object.entries(whole.scratch ?? {}).map(([name, own]) => [name, leaf('scratch', own, {})]);
            const writes = Object.fromEntries([...results, ...scratch]);
            for (const part of whole.parts ?? [{}])
              yield { ...step, writes, candidate: { ...whole, ...part }, caps, title: `${test.title} ${float}` };
          }
        }
      }
    }
  }
}

const FLOATS = ['float32', 'float16'] as const;

const work = { size: [5, 3], rows: { first: 0, count: 7 }, stride: 9, mean: [0, 0, 0], std: [1, 1, 1] } as const;

/** What runs beside ops: what beside that outputs are finite, what makes inputs of pictures. */
export const beside = FLOATS.flatMap((dataType) => [
  ...checkCandidates(leaf('input', { dataType, shape: [3] }, { name: 'x' }), 1, 2 ** 27),
  ...PICTURE_FORMS.flatMap((form) => pictureCandidates(form, dataType, work)),
]);

/** Every variant that these have, once. */
export function variants(): Variant[] {
  const all = [...[...dispatches()].map(({ candidate }) => candidate), ...beside].map(({ variant }) => variant);
  return [...new Map(all.map((variant) => [variantKey(variant), variant])).values()];
}
