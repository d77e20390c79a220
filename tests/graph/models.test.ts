import { describe, expect, it } from 'vitest';
import type { Caps } from '../../src/gpu/gpu.ts';
import type { Graph } from '../../src/graph/ir.ts';
import { optimise } from '../../src/graph/passes/index.ts';
import { formatPlan, plan } from '../../src/graph/plan.ts';
import { gpt2Graph, gpt2Shape } from '../../src/models/gpt2.ts';
import type { ModelFiles } from '../../src/models/model.ts';
import { resnetGraph, shapeOf } from '../../src/models/resnet.ts';
import { namingOf } from '../../src/models/resnet-names.ts';
import { Weights } from '../../src/models/weights.ts';
import { gpt2, resnet18 } from '../support/published-shapes.ts';

const ADAPTERS = {
  swiftshader: { software: true, longKernels: true },
  llvmpipe: { software: true, longKernels: false },
  gpu: { software: false, longKernels: false },
} as const;

const capsOf = (kind: (typeof ADAPTERS)[keyof typeof ADAPTERS]): Caps => ({
  ...kind,
  f16: false,
  longLoops: true,
  subgroups: true,
  minSubgroupSize: 4,
  packedDot: true,
  maxBindingBytes: 2 ** 30,
  maxBufferBytes: 2 ** 31,
  maxWorkgroupStorageBytes: 16384,
  maxInvocations: 256,
});

function resnet(): Graph {
  const weights = new Weights(resnet18());
  const names = namingOf(weights);
  return resnetGraph(weights, names, shapeOf(weights, names), {
    dataType: 'float32',
    input: [224, 224],
    batch: 1,
    strideInFirst: false,
    strideInFirstStage: false,
    epsilon: 1e-5,
  });
}

function gpt(tokens: number): Graph {
  const checkpoint = gpt2();
  const weights = new Weights(checkpoint);
  const files = { name: 'gpt2', checkpoint, config: { n_head: 12 } } as unknown as ModelFiles;
  return gpt2Graph(weights, gpt2Shape(files, weights), { dataType: 'float32', tokens, predict: 'last' });
}

describe('plans of whole models: a change of a kernel, a pass or a label shows as a diff', () => {
  const graphs = { 'resnet-18': resnet, 'gpt-2 decode': () => gpt(1), 'gpt-2 prefill of 128': () => gpt(128) };
  for (const [model, graph] of Object.entries(graphs))
    for (const [adapter, kind] of Object.entries(ADAPTERS))
      it(`${model}, ${adapter}`, async () => {
        const caps = capsOf(kind);
        const text = formatPlan(plan(optimise(graph(), {}, caps), caps));
        await expect(`${text}\n`).toMatchFileSnapshot(`plans/${model.replaceAll(' ', '-')}.${adapter}.txt`);
      });
});
