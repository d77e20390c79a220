import { describe, expect, it } from 'vitest';
import { RESNET18 } from '../../bench/models.ts';
import { resnetOf, resnetWeights } from '../../bench/published.ts';
import { planOf } from '../../src/build/build.ts';
import type { Engine } from '../../src/engine.ts';
import { countersSince } from '../../src/gpu/counters.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { freshEngine } from '../support/engine.ts';
import { repositoryFolder } from '../support/files.ts';

/**
 * Bind groups and pipelines made before the first run; a GPU has the tuner's choice, and so its own number of pipelines. `plain`: llvmpipe
 * without subgroups, whose attention has one kernel for any number of queries.
 */
const MADE = {
  resnet18: {
    swiftshader: { groups: 225, programs: 18 },
    llvmpipe: { groups: 225, programs: 18 },
    plain: { groups: 225, programs: 18 },
  },
  gpt: {
    swiftshader: { groups: 164, programs: 15 },
    llvmpipe: { groups: 164, programs: 14 },
    plain: { groups: 164, programs: 13 },
  },
};
const made = (model: keyof typeof MADE, { adapter, gpu }: Engine) =>
  adapter.software
    ? MADE[model][gpu.caps.longKernels ? 'swiftshader' : gpu.caps.subgroups ? 'llvmpipe' : 'plain']
    : expect.anything();

describe('counters', () => {
  it('ResNet-18 at 224 × 224: a pass a submit, 25 dispatches and 2 for each Winograd, nothing made per run', async () => {
    using engine = await freshEngine();
    const weights = resnetWeights(RESNET18);
    expect(weights.parameters).toBe(11_689_512); // torchvision's count: running means and variances are buffers, not parameters
    const graph = resnetOf(weights, 224);
    const direct = await planOf(engine.gpu, graph, { without: ['winograd'] });
    expect(direct.steps).toHaveLength(25);
    using session = await engine.build(graph, { tune: 'off' });
    // Every step has its bind group; what runs once, at load, has others. Equal kernels are compiled once.
    const { bindGroups: groups, pipelines: programs } = engine.counters;
    expect({ groups, programs }).toEqual(made('resnet18', engine));
    const image = Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(i));
    await session.run({ image });
    const before = engine.counters;
    const { logits } = await session.run({ image });
    // Software adapters get the 13 convolutions of 3×3 at stride 1 by Winograd, three dispatches each.
    const winograd = engine.adapter.software ? 13 : 0;
    const { dispatches, passes, submits, bindGroups, pipelines, bytesRead } = countersSince(before, engine.counters);
    // Two cores take more than 100 ms: the run is cut into parts.
    expect(passes).toBe(submits);
    expect({ dispatches, bindGroups, pipelines, bytesRead }).toEqual({
      dispatches: 25 + 2 * winograd,
      bindGroups: 0,
      pipelines: 0,
      bytesRead: 4000,
    });
    expect(engine.counters.bytes).toBe(before.bytes);
    expect(Number.isFinite(logits![0])).toBe(true);
    engine.gpu.write(session.inputBuffer('image'), 0, image);
    const whole = engine.counters;
    expect((await session.run({}))['logits']).toEqual(logits);
    expect(countersSince(whole, engine.counters)).toMatchObject({ passes: 1, submits: 1 });
  });

  // Embeddings 3, the last normalisation, the logits, the token drawn from them; one more position goes up, one token comes back.
  it('GPT-2 decode: 8 dispatches a layer plus 6, nothing made and 4 bytes read a token', async () => {
    using engine = await freshEngine();
    using model = (await engine.load(repositoryFolder('weights/gpt-shakespeare'), { tune: 'off' })) as TextGenerator;
    const { bindGroups: groups, pipelines: programs } = engine.counters;
    expect({ groups, programs }).toEqual(made('gpt', engine));
    const start = engine.counters;
    const tokens = model.generate('ROMEO:\n', { temperature: 0, maxNewTokens: 16, stopTokens: [] });
    for (let n = 0; n < 4; n++) await tokens.next(); // as many runs are on their way as ever will be
    for (let n = 0; n < 3; n++) {
      const before = engine.counters;
      await tokens.next();
      const { bytes, peakBytes, hostBytes, peakHostBytes, peakTotalBytes, bytesRead, ...rises } = countersSince(
        before,
        engine.counters,
      );
      expect(rises).toEqual({
        dispatches: 8 * 6 + 6,
        passes: 1,
        submits: 1,
        bindGroups: 0,
        pipelines: 0,
        bytesUploaded: 4 + 20,
      });
      expect({ bytes, peakBytes, hostBytes, peakHostBytes, peakTotalBytes }).toMatchObject({
        bytes: before.bytes,
        hostBytes: 0,
      });
    }
    for await (const _ of tokens); // when a read arrives is up to the adapter, but not what is read in all
    expect(countersSince(start, engine.counters).bytesRead).toBe(4 * 16);
  });
});
