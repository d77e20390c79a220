import { describe, expect, it } from 'vitest';
import { encodeSafetensors } from '../../src/formats/safetensors-write.ts';
import type { GenerateOptions, TextGenerator } from '../../src/models/text-generator.ts';
import { createSampler } from '../../src/text/sampler.ts';
import { sampleLine } from '../../src/verify/reference/sample.ts';
import { testEngine } from '../support/engine.ts';
import { parseTensors, readAnywhere, repositoryFolder } from '../support/files.ts';

const FOLDER = repositoryFolder('tests/fixtures/gpt2-tiny');
const load = async (): Promise<TextGenerator> => (await (await testEngine()).load(FOLDER)) as TextGenerator;

async function generated(model: TextGenerator, prompt: number[], options: GenerateOptions): Promise<number[]> {
  const tokens: number[] = [];
  for await (const { token } of model.generate(prompt, { stopTokens: [], ...options })) tokens.push(token);
  return tokens;
}

/** The same, each token from the logits of all before it, drawn on the CPU; a full context goes on from its later half. */
async function expected(model: TextGenerator, prompt: number[], options: GenerateOptions): Promise<number[]> {
  const next = createSampler(options);
  const tokens: number[] = [];
  let window = [...prompt];
  while (tokens.length < options.maxNewTokens!) {
    const logits = await model.logits(window);
    const token = sampleLine(logits.subarray(-model.shape.vocabulary), next());
    tokens.push(token);
    window.push(token);
    if (window.length > model.context) window = window.slice(-(model.context >> 1));
  }
  return tokens;
}

describe('generating', () => {
  it.each([
    { temperature: 0 },
    { seed: 3 },
    { seed: 4, temperature: 0.7, topK: 20 },
    { seed: 5, temperature: 1.2, topP: 0.8 },
    { seed: 6, topK: 50, topP: 0.9 },
  ])('draws what the logits and the seed say: %o', async (options) => {
    using model = await load();
    const all = { ...options, maxNewTokens: 12 };
    expect(await generated(model, [5, 1, 30], all)).toEqual(await expected(model, [5, 1, 30], all));
  });

  it('slides where the context is full, and stops there where it may not', async () => {
    using model = await load();
    const prompt = Array.from({ length: model.context - 2 }, (_, i) => (i * 37) % model.shape.vocabulary);
    const options = { temperature: 0.9, seed: 8, maxNewTokens: 8 };
    const tokens = await expected(model, prompt, options);
    expect(await generated(model, prompt, { ...options, overflow: 'slide' })).toEqual(tokens);
    expect(await generated(model, prompt, options)).toEqual(tokens.slice(0, 3));
  });

  it('throws away what ran ahead of a stop token, and of a loop that is left', async () => {
    using model = await load();
    const tokens = await generated(model, [7, 7, 9], { seed: 1, maxNewTokens: 20 });
    const stop = tokens.findIndex((token, i) => i > 3 && tokens.indexOf(token) === i);
    expect(await generated(model, [7, 7, 9], { seed: 1, maxNewTokens: 20, stopTokens: [tokens[stop]!] })).toEqual(
      tokens.slice(0, stop),
    );
    for await (const _ of model.generate([1, 2], { seed: 2 })) break;
    expect(await generated(model, [7, 7, 9], { seed: 1, maxNewTokens: 20 })).toEqual(tokens);
    expect(await generated(model, [7, 7, 9], { seed: 1, maxNewTokens: 0 })).toEqual([]);
  });

  it('refuses logits that are no numbers', async () => {
    const engine = await testEngine();
    const tensors = await parseTensors(await readAnywhere(`${FOLDER}/model.safetensors`));
    const broken = encodeSafetensors(
      [...tensors].map(([name, { shape, data }]) => {
        const numbers = name.endsWith('ln_f.bias') ? data.map(() => Number.NaN) : data;
        return { name, storedType: 'F32' as const, shape, bytes: new Uint8Array(numbers.slice().buffer) };
      }),
    );
    const config = await readAnywhere(`${FOLDER}/config.json`);
    using model = (await engine.load({ 'model.safetensors': broken, 'config.json': config })) as TextGenerator;
    for (const temperature of [0, 1]) {
      const refusal = expect.objectContaining({ code: 'invalid-argument', message: expect.stringContaining('NaN') });
      await expect(generated(model, [1, 2], { temperature })).rejects.toThrow(refusal);
    }
    using whole = await load();
    expect(await whole.logits([1])).not.toContain(Number.NaN);
  });
});
