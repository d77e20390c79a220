import { describe, expect, it } from 'vitest';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import { followers } from '../../src/models/text-guesses.ts';
import type { GenerateOptions, Generation } from '../../src/models/text-options.ts';
import { testEngine } from '../support/engine.ts';
import { repositoryFolder } from '../support/files.ts';

const FOLDER = repositoryFolder('tests/fixtures/gpt2-tiny');
const load = async (): Promise<TextGenerator> => (await (await testEngine()).load(FOLDER)) as TextGenerator;

/** The tokens of a text, and what came of it. */
async function written(
  model: TextGenerator,
  prompt: readonly number[],
  options: GenerateOptions,
): Promise<Generation & { ids: number[] }> {
  const ids: number[] = [];
  for (const stream = model.generate(prompt, { stopTokens: [], ...options }); ; ) {
    const { value, done } = await stream.next();
    if (done) return { ...value, ids };
    ids.push(value.token);
  }
}

/** Some tokens of the vocabulary, none of which is followed twice by the same. */
const prompt = (count: number, step = 7): number[] => Array.from({ length: count }, (_, i) => (i * i * step + 3) % 90);

describe('the cache of a text', () => {
  it('is not read again where a prompt begins as the last text did', async () => {
    using model = await load();
    const [first, how] = [prompt(12), { maxNewTokens: 6, temperature: 0 }];
    const whole = await written(model, first, how);
    expect(whole).toMatchObject({ cachedTokens: 0, promptTokens: 12 });
    const longer = [...first, ...whole.ids, 5, 9];
    const fresh = await written(model, longer, { ...how, promptCache: false });
    expect(fresh.cachedTokens).toBe(0);
    await written(model, first, how);
    const reused = await written(model, longer, how);
    expect(reused.ids).toEqual(fresh.ids);
    // The last token that is drawn is not read.
    expect(reused.cachedTokens).toBe(first.length + whole.ids.length - 1);
    expect(reused.runs).toBeLessThan(fresh.runs);
  });

  it('is read again from where a prompt differs, and whole after what else used it', async () => {
    using model = await load();
    const [first, how] = [prompt(20), { maxNewTokens: 3, seed: 4 }];
    const other = [...first.slice(0, 9), 1, ...first.slice(10)];
    const expected = await written(model, other, { ...how, promptCache: false });
    await written(model, first, how);
    expect(await written(model, other, how)).toMatchObject({ ids: expected.ids, cachedTokens: 9 });
    expect(await written(model, other, how)).toMatchObject({ ids: expected.ids, cachedTokens: other.length - 1 });
    await model.logits(first);
    expect(await written(model, other, how)).toMatchObject({ ids: expected.ids, cachedTokens: 0 });
    expect((await written(model, prompt(20, 11), how)).cachedTokens).toBe(1); // both begin with 3
  });

  it('is read again with other kernels: those before may have been wrong', async () => {
    using model = await load();
    const [first, how] = [prompt(20), { maxNewTokens: 3, temperature: 0 }];
    await written(model, first, how);
    expect((await written(model, first, how)).cachedTokens).toBe(19);
    for (const session of await model.sessions()) await session.rechoose();
    expect((await written(model, first, how)).cachedTokens).toBe(0);
    expect((await written(model, first, how)).cachedTokens).toBe(19);
  });

  it('holds what was read of a text that was left, and no more', async () => {
    using model = await load();
    const [first, how] = [prompt(10), { maxNewTokens: 12, temperature: 0 }];
    const { ids } = await written(model, first, how);
    await model.logits([0]);
    const left: number[] = [];
    for await (const { token } of model.generate(first, { stopTokens: [], ...how })) if (left.push(token) === 4) break;
    const after = [...first, ...ids.slice(0, 6)];
    const { cachedTokens, ids: rest } = await written(model, after, { ...how, maxNewTokens: 6 });
    expect(rest).toEqual(ids.slice(6));
    expect(cachedTokens).toBeGreaterThanOrEqual(first.length + 3);
    expect(cachedTokens).toBeLessThan(after.length);
  });

  it('serves texts that are written at once', async () => {
    using model = await load();
    const prompts = [prompt(12), prompt(12, 11), prompt(17)];
    const how = { maxNewTokens: 9, seed: 2 };
    const apart: number[][] = [];
    for (const one of prompts) apart.push((await written(model, one, { ...how, promptCache: false })).ids);
    const together = await Promise.all(prompts.map((one) => written(model, one, how)));
    expect(together.map(({ ids }) => ids)).toEqual(apart);
  });
});

describe('guesses from the text', () => {
  const repeated = [...prompt(8), ...prompt(8), ...prompt(6)];

  it.each<GenerateOptions>([
    { temperature: 0 },
    { seed: 3 },
    { seed: 5, temperature: 1.2, topP: 0.8 },
    { temperature: 0, repetitionPenalty: 1.7 },
    { temperature: 0, overflow: 'slide' },
  ])('give the same tokens: %j', async (options) => {
    using model = await load();
    const how = { ...options, maxNewTokens: options.overflow ? model.context + 9 : model.context - repeated.length };
    const { ids } = await written(model, repeated, how);
    expect(ids.length).toBe(how.maxNewTokens);
    for (const promptLookupTokens of [1, 7, 15])
      expect((await written(model, repeated, { ...how, promptLookupTokens })).ids).toEqual(ids);
  });

  it('that are right save runs', async () => {
    using model = await load();
    const how = { temperature: 0, maxNewTokens: 24 };
    // Greedy texts of a model this small go in circles.
    const { ids, runs } = await written(model, repeated, how);
    const circle = [...repeated, ...ids];
    const plain = await written(model, circle.slice(-20), how);
    const guessed = await written(model, circle.slice(-20), { ...how, promptLookupTokens: 7, promptCache: false });
    expect(guessed.ids).toEqual(plain.ids);
    expect(guessed.runs).toBeLessThan(plain.runs);
    expect(runs).toBeGreaterThanOrEqual(24);
  });

  it('end with the text where it ends within one', async () => {
    using model = await load();
    const { ids } = await written(model, repeated, { temperature: 0, maxNewTokens: 12 });
    const how = { temperature: 0, maxNewTokens: 12, stopTokens: [ids[5]!] };
    const plain = await written(model, repeated, how);
    const guessed = await written(model, repeated, { ...how, promptLookupTokens: 7 });
    expect(guessed).toMatchObject({ ids: plain.ids, reason: 'stop', tokens: plain.tokens });
  });

  it('are what came after the last tokens before', () => {
    expect(followers([1, 2, 3, 4, 5, 1, 2, 3], 2)).toEqual([4, 5]);
    expect(followers([9, 2, 3, 4, 9, 2, 3, 7, 2, 3], 5)).toEqual([7, 2, 3]);
    expect(followers([7, 7, 7, 7], 3)).toEqual([7]);
    expect(followers([1, 2, 3], 3)).toEqual([]);
    expect(followers([1, 2, 1, 2], 0)).toEqual([]);
  });
});
