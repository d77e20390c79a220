import { describe, expect, it } from 'vitest';
import { countersSince } from '../../src/gpu/counters.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { type Graph, type Operand, topological } from '../../src/graph/ir.ts';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { freshEngine } from '../support/engine.ts';
import { repositoryFolder } from '../support/files.ts';

/** What a layer gives, with all that belongs to it: the last node of its name. */
const layer = (graph: Graph, label: string): Operand => topological(graph).findLast((node) => node.label === label)!;

const pixels = Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => Math.sin(i));

describe('a graph on the weights of a model', () => {
  it('gives what layers compute, and brings no weights again', async () => {
    using engine = await freshEngine();
    const model = (await engine.load(repositoryFolder('weights/resnet20-cifar10'))) as ImageClassifier;
    const graph = model.graph();
    const names = ['bn1', 'layer1.2.bn2', 'layer3.2.bn2'];
    const outputs = { ...graph.outputs, ...Object.fromEntries(names.map((name) => [name, layer(graph, name)])) };
    const before = engine.counters;
    const { weights } = await model.deviceBytes();
    const session = await model.build({ outputs });
    const got = await session.run({ image: pixels });
    expect(countersSince(before, engine.counters).bytesUploaded).toBeLessThan(weights / 4);
    expect((await model.deviceBytes()).weights).toBe(weights);
    expect(names.map((name) => got[name]!.length)).toEqual([16 * 1024, 16 * 1024, 64 * 64]);
    for (const name of names) {
      expect(Math.min(...got[name]!.map(Number))).toBe(0); // what a relu lets through
      expect(Math.max(...got[name]!.map(Number))).toBeGreaterThan(0.1);
    }
    // The head by hand: the mean of each channel, times the weights.
    const means = Array.from(
      { length: 64 },
      (_, c) =>
        Array.from(got['layer3.2.bn2']!, Number)
          .slice(64 * c, 64 * (c + 1))
          .reduce((sum, x) => sum + x) / 64,
    );
    const b = new GraphBuilder();
    using pool = await model.build(b.outputs({ pool: layer(graph, 'pool') }));
    const { pool: pooled } = await pool.run({ image: pixels });
    for (const [c, mean] of means.entries()) expect(pooled![c]).toBeCloseTo(mean, 4);
    const logits = await model.logits(pixels);
    for (const [i, logit] of logits.entries()) expect(got['logits']![i]).toBeCloseTo(logit, 4);
    model.dispose();
    expect(session.disposed).toBe(true);
    expect(engine.counters.bytes).toBe(0);
  });

  it('leaves the text that the model writes alone: its states are its own', async () => {
    using engine = await freshEngine();
    const model = (await engine.load(repositoryFolder('weights/gpt-shakespeare'))) as TextGenerator;
    using session = await model.build(model.graph(16, 'all'));
    const tokens = async (between: () => Promise<unknown>): Promise<number[]> => {
      const ids: number[] = [];
      for await (const { token } of model.generate('ROMEO:\n', { temperature: 0, maxNewTokens: 6 })) {
        ids.push(token);
        await between();
      }
      return ids;
    };
    const positions = Uint32Array.from({ length: 16 }, (_, i) => i);
    const alone = await tokens(async () => {});
    expect(await tokens(() => session.run({ tokens: positions, positions }))).toEqual(alone);
  });

  it('refuses options that there are not, and leaves nothing behind', async () => {
    using engine = await freshEngine();
    const model = (await engine.load(repositoryFolder('weights/resnet20-cifar10'))) as ImageClassifier;
    const { bytes } = engine.counters;
    await expect(model.build(model.graph(), { what: 1 } as object)).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(model.build(model.graph(), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(engine.counters.bytes).toBe(bytes);
  });
});
