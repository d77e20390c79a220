import { afterAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { LoadOptions } from '../../src/models/model.ts';
import type { ImageClassifier } from '../../src/models/resnet.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { freshEngine } from '../support/engine.ts';
import { repositoryFolder } from '../support/files.ts';

const GPT = repositoryFolder('tests/fixtures/gpt2-tiny');
const RESNET = repositoryFolder('tests/fixtures/resnet-tiny/cifar-projection');
const SIDE = 4;
const PIXELS = 3 * SIDE * SIDE;
const pixels = (count: number): Float32Array =>
  Float32Array.from({ length: PIXELS * count }, (_, i) => Math.sin(0.37 * (i % PIXELS)));
const float = (...shape: number[]) => ({ dataType: 'float32' as const, shape });

const engine = await freshEngine();
afterAll(() => engine.dispose());
const small = async (options: LoadOptions = {}): Promise<ImageClassifier> =>
  (await engine.load(RESNET, { inputSize: [SIDE, SIDE], tune: 'off', ...options })) as ImageClassifier;

describe('sessions of one model', () => {
  it('bug 5: of 200 batch sizes take what the largest takes and the buffers of 4; then nothing', async () => {
    const MOST = 200;
    const alone = await small();
    await alone.logits(pixels(MOST), MOST);
    const { weights, sessions: largest } = await alone.deviceBytes();
    const want = (await alone.logits(pixels(1))).slice();
    alone.dispose();
    expect(engine.counters.bytes).toBe(0);

    const model = await small();
    // Inputs and outputs of a session, and its numbers.
    const own = MOST * 4 * (PIXELS + 10) + 2 ** 15;
    const bound = largest + 4 * own;
    let most = 0;
    for (let i = 0; i < MOST; i++) {
      const count = 1 + ((i * 71) % MOST); // every size once, small and large by turns
      const logits = await model.logits(pixels(count), count);
      for (const row of [0, count - 1])
        for (let j = 0; j < 10; j++) expect(logits[10 * row + j]).toBeCloseTo(want[j]!, 3);
      const { sessions } = await model.deviceBytes();
      most = Math.max(most, sessions);
      expect(engine.counters.bytes).toBe(weights + sessions);
    }
    console.log(
      `${engine.counters.pipelines} pipelines, 200 batch sizes: ${most} bytes at the most; the largest alone takes ${largest}, the bound is ${bound}`,
    );
    expect(most).toBeLessThanOrEqual(bound);
    expect(await model.sessions()).toHaveLength(4);
    model.dispose();
    expect(engine.counters).toMatchObject({ bytes: 0, hostBytes: 0 });
    expect(await model.deviceBytes()).toEqual({ weights: 0, states: 0, sessions: 0 });
  });

  it('bind to their memory again where another made it grow, and only then', async () => {
    using model = await small();
    const want = await model.logits(pixels(2), 2);
    await model.logits(pixels(64), 64);
    const grown = engine.counters.bindGroups;
    expect(await model.logits(pixels(2), 2)).toEqual(want);
    expect(engine.counters.bindGroups).toBeGreaterThan(grown);
    const bound = engine.counters.bindGroups;
    expect(await model.logits(pixels(2), 2)).toEqual(want);
    await model.logits(pixels(64), 64);
    expect(engine.counters.bindGroups).toBe(bound);
  });

  it('give a text, and logits, whatever is built in between', async () => {
    using model = (await engine.load(GPT, { tune: 'off' })) as TextGenerator;
    const options = { temperature: 0, maxNewTokens: 12, stopTokens: [] };
    const text = async (): Promise<number[]> => {
      const ids: number[] = [];
      for await (const { token } of model.generate([1, 2, 3], options)) ids.push(token);
      return ids;
    };
    const before = await text();
    const logits = await model.logits([1, 2, 3]);
    expect(await text()).toEqual(before);
    expect(await model.logits([1, 2, 3])).toEqual(logits);
    const other: number[] = [];
    for await (const { token } of model.generate([1, 2, 3], options)) {
      other.push(token);
      if (other.length === 4) await model.calibrate([[5, 6, 7, 8, 9, 10, 11, 12]]); // shares the weights alone
    }
    expect(other).toEqual(before);
  });
});

describe('memory.budget', () => {
  it('is kept, and what would take more is refused before anything is allocated', async () => {
    using own = await freshEngine();
    for (const source of [RESNET, GPT]) {
      using fresh = await freshEngine();
      (await fresh.load(source, { tune: 'off' })).dispose();
      const { peakBytes } = fresh.counters;
      (await own.load(source, { tune: 'off', memory: { budget: Math.ceil(peakBytes * 1.01) } })).dispose();
      const { bytes, peakBytes: before, bytesUploaded } = own.counters;
      expect(bytes).toBe(0);
      const budget = 2000;
      await expect(own.load(source, { tune: 'off', memory: { budget } })).rejects.toMatchObject({
        code: 'limit-exceeded',
        message: expect.stringMatching(/takes up to \d{5,} bytes .*budget is 2000$/),
      });
      expect(own.counters).toMatchObject({ bytes: 0, peakBytes: before, bytesUploaded });
    }
  });

  it('holds for what a model builds later, and the model goes on', async () => {
    using probe = await small();
    await probe.logits(pixels(4), 4);
    const { weights, sessions } = await probe.deviceBytes();
    using model = await small({ memory: { budget: 2 * (weights + sessions) } });
    const want = await model.logits(pixels(1));
    await model.logits(pixels(4), 4);
    const { bytes } = engine.counters;
    await expect(model.logits(pixels(400), 400)).rejects.toMatchObject({
      code: 'limit-exceeded',
      message: expect.stringContaining('batch 400'),
    });
    expect(engine.counters.bytes).toBe(bytes);
    expect(await model.logits(pixels(1))).toEqual(want);
  });

  it('of a graph: intermediates and outputs count', async () => {
    const b = new GraphBuilder();
    const x = b.input('x', float(1024));
    const graph = b.outputs({ y: b.exp(b.reshape(b.softmax(b.reshape(x, [1, 1024]), 1), [1024])) });
    const budget = 16_000;
    await expect(engine.build(graph, { tune: 'off', memory: { budget } })).rejects.toMatchObject({
      code: 'limit-exceeded',
    });
    using session = await engine.build(graph, { tune: 'off', memory: { budget: 17_000 } });
    expect((await session.run({ x: new Float32Array(1024) })).y).toHaveLength(1024);
    await expect(engine.build(graph, { memory: { budget: -1 } })).rejects.toMatchObject({ code: 'invalid-argument' });
    const typo = { memory: { bugdet: 1 } } as object;
    await expect(engine.build(graph, typo)).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

it('a session that is alone takes its memory with it', async () => {
  const b = new GraphBuilder();
  const { bytes } = engine.counters;
  const y = b.softmax(b.exp(b.input('x', float(4, 4))), 1);
  const session = await engine.build(b.outputs({ y }));
  expect(session.stores.bytes).toBe(engine.counters.bytes - bytes);
  session.dispose();
  expect(engine.counters.bytes).toBe(bytes);
});
