import { describe, expect, it } from 'vitest';
import type { Translator } from '../../src/models/seq2seq/translator.ts';
import type { TranslateOptions } from '../../src/models/seq2seq/translator-options.ts';
import { normwise } from '../../src/verify/compare.ts';
import { testEngine } from '../support/engine.ts';
import { codeOf } from '../support/errors.ts';
import { parseTensors, readAnywhere, repositoryFolder } from '../support/files.ts';

/** What tools/make_seq2seq_fixtures.py writes beside the weights. */
interface Reference {
  ids: [number[], number[]];
  answers: Record<string, { options: Record<string, number | boolean | string>; tokens: number[]; gaps?: number[] }>;
}

const MODELS = ['t5', 't5-gated', 'bart', 'marian'];
const folderOf = (name: string): string => repositoryFolder(`tests/fixtures/seq2seq/${name}`);
const referenceOf = async (name: string): Promise<Reference> =>
  JSON.parse(new TextDecoder().decode(await readAnywhere(`${folderOf(name)}/reference.json`))) as Reference;
const load = async (name: string): Promise<Translator> =>
  (await (await testEngine()).load(folderOf(name))) as Translator;

const NAMES: Readonly<Record<string, keyof TranslateOptions>> = {
  num_beams: 'numBeams',
  max_new_tokens: 'maxNewTokens',
  min_new_tokens: 'minNewTokens',
  length_penalty: 'lengthPenalty',
  early_stopping: 'earlyStopping',
  no_repeat_ngram_size: 'noRepeatNgramSize',
  repetition_penalty: 'repetitionPenalty',
};

async function written(model: Translator, ids: readonly number[], options: TranslateOptions): Promise<number[]> {
  const tokens: number[] = [];
  for await (const { token } of model.generate(ids, options)) tokens.push(token);
  return tokens;
}

describe.each(MODELS)('%s against transformers', (name) => {
  it('the states of the encoder, padded too', async () => {
    using model = await load(name);
    const { ids } = await referenceOf(name);
    const tensors = await parseTensors(await readAnywhere(`${folderOf(name)}/reference.safetensors`));
    for (const [text, key, length] of [
      [ids[0], 'hidden', 8],
      [ids[0], 'hidden', 48],
      [ids[1], 'longer', 48],
    ] as const) {
      using session = await model.buildOn((await testEngine()).gpu, model.encoderGraph(length, 'hidden'));
      const tokens = Uint32Array.from({ length }, (_, i) => text[i] ?? 0);
      const mask = Array.from({ length: 48 }, (_, i) => (i < text.length ? 0 : -1e30));
      const { hidden } = await session.run({ tokens, mask });
      const { data } = tensors.get(key)!;
      const error = normwise((hidden as Float32Array).subarray(0, data.length), data as Float32Array);
      console.log(`${name}: ${text.length} of ${length} tokens, ${error.toExponential(1)} off`);
      expect(error).toBeLessThan(5e-5);
    }
  });

  it('greedy tokens and beams', async () => {
    using model = await load(name);
    const { ids, answers } = await referenceOf(name);
    const end = name.startsWith('t5') ? 1 : 2;
    for (const [title, { options, tokens: wanted, gaps }] of Object.entries(answers)) {
      const how = Object.fromEntries(Object.entries(options).map(([key, value]) => [NAMES[key]!, value]));
      const tokens = await written(model, ids[0], how);
      const whole = wanted.at(-1) === end ? wanted.slice(0, -1) : wanted;
      const parting = tokens.findIndex((token, i) => token !== whole[i]);
      console.log(`${name} ${title}: ${parting < 0 ? tokens.length : parting} of ${whole.length} tokens equal`);
      if (gaps && parting >= 0) expect(gaps[parting]).toBeLessThan(1e-4);
      else expect(tokens).toEqual(whole);
    }
  });
});

describe('writing texts for others', () => {
  it('draws by a seed, and several at once are as each alone', async () => {
    using model = await load('t5');
    const { ids } = await referenceOf('t5');
    const how = { temperature: 1, topK: 20, seed: 7, maxNewTokens: 12 };
    const alone = [await written(model, ids[0], how), await written(model, ids[1], { ...how, seed: 8 })];
    expect(new Set(alone[0]).size).toBeGreaterThan(4);
    const both = Promise.all([written(model, ids[0], how), written(model, ids[1], { ...how, seed: 8 })]);
    const beams = written(model, ids[1], { numBeams: 2, maxNewTokens: 5 });
    expect(await both).toEqual(alone);
    expect(await beams).toEqual(await written(model, ids[1], { numBeams: 2, maxNewTokens: 5 }));
  });

  it('a text that is too long is cut when that is asked', async () => {
    using model = await load('marian');
    const long = Array.from({ length: 60 }, (_, i) => 3 + (i % 40));
    expect(await codeOf(written(model, long, {}))).toBe('context-exceeded');
    const cut = await written(model, long, { truncate: true, maxNewTokens: 6 });
    expect(cut).toEqual(await written(model, [...long.slice(0, 47), long.at(-1)!], { maxNewTokens: 6 }));
  });

  it.each<[string, readonly number[] | string, object, string]>([
    ['no tokens', [], {}, 'invalid-argument'],
    ['a token beyond the vocabulary', [89], {}, 'invalid-argument'],
    ['text without a tokenizer', 'text', {}, 'not-found'],
    ['more tokens than fit', [3], { maxNewTokens: 48 }, 'invalid-argument'],
    ['beams that are drawn', [3], { numBeams: 2, temperature: 1 }, 'invalid-argument'],
    ['no beams', [3], { numBeams: 0 }, 'invalid-argument'],
    ['an option that there is not', [3], { beams: 2 }, 'invalid-argument'],
  ])('%s is an error', async (_, text, options, code) => {
    using model = await load('bart');
    const { bytes } = model.gpu.counters;
    expect(await codeOf(written(model, text as readonly number[], options))).toBe(code);
    expect(model.gpu.counters.bytes).toBe(bytes);
  });

  it('types by layer, of encoder and decoder', async () => {
    const { ids } = await referenceOf('bart');
    const engine = await testEngine();
    const dtype = { default: 'float32', 'decoder.layers.0': 'float16', 'encoder.layers.1.fc1': 'int8' } as const;
    using model = (await engine.load(folderOf('bart'), { dtype })) as Translator;
    // The last is the token that ends the text.
    expect(await written(model, ids[0], { maxNewTokens: 6 })).toHaveLength(5);
    expect(await codeOf(engine.load(folderOf('bart'), { dtype: { default: 'int8', nothing: 'float32' } }))).toBe(
      'invalid-argument',
    );
  });
});
