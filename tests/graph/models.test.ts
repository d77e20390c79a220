import { describe, expect, it } from 'vitest';
import { GPT2, RESNET18 } from '../../bench/models.ts';
import { gptOf, resnetOf, resnetWeights } from '../../bench/published.ts';
import { optimise } from '../../src/graph/passes/index.ts';
import { formatPlan, plan } from '../../src/graph/plan.ts';
import { capsOf } from '../support/caps.ts';

const ADAPTERS = {
  swiftshader: { software: true, longKernels: true },
  llvmpipe: { software: true, longKernels: false },
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
  for (const [model, graph] of Object.entries(graphs))
    for (const [adapter, kind] of Object.entries(ADAPTERS))
      it(`${model}, ${adapter}`, async () => {
        const caps = capsOf({ ...ROOMY, ...kind });
        const text = formatPlan(plan(optimise(graph(), {}, caps), caps));
        await expect(`${text}\n`).toMatchFileSnapshot(`plans/${model.replaceAll(' ', '-')}.${adapter}.txt`);
      });
});
