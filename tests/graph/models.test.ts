import { describe, expect, it } from 'vitest';
import { GPT2, RESNET18 } from '../../bench/models.ts';
import { gptOf, resnetOf, resnetWeights } from '../../bench/published.ts';
import { optimise } from '../../src/graph/passes/index.ts';
import { formatPlan, pipelinesOf, plan } from '../../src/graph/plan.ts';
import { capsOf } from '../support/caps.ts';

const ADAPTERS = {
  swiftshader: { software: true, longKernels: true },
  llvmpipe: { software: true, longKernels: false, minSubgroupSize: 8 },
  gpu: { software: false, longKernels: false },
} as const;

/** What every adapter of these has. */
const ROOMY = { subgroups: true, minSubgroupSize: 4, maxBindingBytes: 2 ** 30, maxBufferBytes: 2 ** 31 };

describe('plans of whole models: a change of a kernel, a pass or a label shows as a diff', () => {
  const graphs = {
    'resnet-18': () => resnetOf(resnetWeights(RESNET18), 224),
    'gpt-2 decode': () => gptOf(GPT2, 1),
    'gpt-2 prefill of 128': () => gptOf(GPT2, 128),
  };
  /** What a first answer waits for: pipelines that a run takes, and those that compute constants. */
  const PIPELINES: Record<keyof typeof graphs, Record<keyof typeof ADAPTERS, [run: number, load: number]>> = {
    'resnet-18': { swiftshader: [10, 9], llvmpipe: [10, 9], gpu: [11, 8] },
    'gpt-2 decode': { swiftshader: [10, 0], llvmpipe: [10, 0], gpu: [11, 0] },
    'gpt-2 prefill of 128': { swiftshader: [10, 0], llvmpipe: [10, 0], gpu: [10, 0] },
  };
  for (const [model, graph] of Object.entries(graphs))
    for (const [adapter, kind] of Object.entries(ADAPTERS))
      it(`${model}, ${adapter}`, async () => {
        const caps = capsOf({ ...ROOMY, ...kind });
        const planned = plan(optimise(graph(), {}, caps), caps);
        const counts = [pipelinesOf(planned.steps), pipelinesOf(planned.prepare)];
        expect(counts).toEqual(PIPELINES[model as keyof typeof graphs][adapter as keyof typeof ADAPTERS]);
        await expect(`${formatPlan(planned)}\n`).toMatchFileSnapshot(
          `plans/${model.replaceAll(' ', '-')}.${adapter}.txt`,
        );
      });
});
