import { describe, expect, it } from 'vitest';
import { encodeSafetensors } from '../../src/formats/safetensors-write.ts';
import type { TextGenerator } from '../../src/models/text-generator.ts';
import type { GeneratedToken, GenerateOptions, Generation } from '../../src/models/text-options.ts';
import { createSampler } from '../../src/text/sampler.ts';
import { sampleLine } from '../../src/verify/reference/sample.ts';
import { adjustedLogits } from '../support/adjusted.ts';
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
    const logits = (await model.logits(window)).subarray(-model.shape.vocabulary);
    const token = sampleLine(adjustedLogits(logits, prompt, tokens, options), next());
    tokens.push(token);
    window.push(token);
    if (window.length > model.context) window = window.slice(-(model.context >> 1));
  }
  return tokens;
}

/** The model with a config or a generation_config that says more. */
async function said(config: object, generation?: object, folder = FOLDER): Promise<TextGenerator> {
  const read = async (file: string) => JSON.parse(new TextDecoder().decode(await readAnywhere(`${folder}/${file}`)));
  const json = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const files = {
    'model.safetensors': await readAnywhere(`${folder}/model.safetensors`),
    'config.json': json({ ...(await read('config.json')), ...config }),
    ...(generation && { 'generation_config.json': json(generation) }),
  };
  return (await (await testEngine()).load(files)) as TextGenerator;
}

describe('generating', () => {
  it.each([
    { temperature: 0 },
    { seed: 3 },
    { seed: 4, temperature: 0.7, topK: 20 },
    { seed: 5, temperature: 1.2, topP: 0.8 },
    { seed: 6, topK: 50, topP: 0.9 },
    { seed: 7, topK: 90, minP: 0.3 },
    { temperature: 0, repetitionPenalty: 1.7 },
    { seed: 8, temperature: 0.6, presencePenalty: 1.5, frequencyPenalty: 0.75, noRepeatNgramSize: 2 },
    {
      seed: 9,
      topK: 3,
      sequenceBias: [[[30], 4] as const, [[30, 1], 9] as const, [[5], Number.NEGATIVE_INFINITY] as const],
    },
  ])('draws what the logits and the seed say: %o', async (options) => {
    using model = await load();
    const all = { ...options, maxNewTokens: 12 };
    expect(await generated(model, [5, 1, 30], all)).toEqual(await expected(model, [5, 1, 30], all));
  });

  it('slides where the context is full, and stops there where it may not', async () => {
    using model = await load();
    const prompt = Array.from({ length: model.context - 2 }, (_, i) => (i * 37) % model.shape.vocabulary);
    const options = { temperature: 0.9, seed: 8, maxNewTokens: 8 };
    const penalised = { ...options, repetitionPenalty: 1.4 };
    const other = await expected(model, prompt, penalised);
    expect(await generated(model, prompt, { ...penalised, overflow: 'slide' })).toEqual(other);
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

describe('several texts of one model', () => {
  const PROMPT = [21, 78, 206, 65, 200];
  const HOW = { seed: 5, temperature: 0.9, maxNewTokens: 12, stopTokens: [] };

  it('bug 2: an abort frees the model at once, whether or not the text is pulled again', async () => {
    using model = await load();
    const alone = await generated(model, PROMPT, HOW);
    const controller = new AbortController();
    const aborted = model.generate([7, 7, 9], { signal: controller.signal, maxNewTokens: 50, stopTokens: [] });
    await aborted.next();
    controller.abort();
    expect(await generated(model, PROMPT, HOW)).toEqual(alone);
    await expect(aborted.next()).rejects.toMatchObject({ code: 'aborted' });
    expect(await aborted.next()).toEqual({ value: undefined, done: true });
  });

  it('bug 32: a text that nobody pulls any more holds nothing', async () => {
    using model = await load();
    const alone = await generated(model, PROMPT, HOW);
    for (const left of [model.generate([1]), model.generate([2], { overflow: 'slide' })]) await left.next();
    expect(await generated(model, PROMPT, HOW)).toEqual(alone);
    const returned = model.generate([3]);
    await returned.next();
    await returned.return(undefined as never);
    expect(await generated(model, PROMPT, HOW)).toEqual(alone);
  });

  it('bug 32: texts that are pulled in turn, or at once, are each as it is alone; logits between them too', async () => {
    using model = await load();
    const long = Array.from({ length: model.context - 5 }, (_, i) => (i * 37) % model.shape.vocabulary);
    const asked: [number[], GenerateOptions][] = [
      [PROMPT, HOW],
      [long, { ...HOW, seed: 6, overflow: 'slide' }],
      [[9], { ...HOW, temperature: 0 }],
    ];
    const alone: number[][] = [];
    for (const [prompt, options] of asked) alone.push(await generated(model, prompt, options));
    const logits = await model.logits(long);
    const streams = asked.map(([prompt, options]) => model.generate(prompt, options));
    const turns: number[][] = asked.map(() => []);
    for (let i = 0; i < HOW.maxNewTokens; i++) {
      for (const [n, stream] of streams.entries())
        turns[n]!.push(((await stream.next()).value as GeneratedToken).token);
      if (i === 3) expect(await model.logits(long)).toEqual(logits);
    }
    expect(turns).toEqual(alone);
    expect(await Promise.all(asked.map(([prompt, options]) => generated(model, prompt, options)))).toEqual(alone);
  });

  it.each([0, 1, 5])(
    'bug 3, bug 27: dispose() after %d tokens ends the text, and harms nothing else',
    async (after) => {
      const engine = await testEngine();
      using other = (await engine.load(FOLDER)) as TextGenerator;
      const alone = await generated(other, PROMPT, HOW);
      const model = await load();
      const text = model.generate(PROMPT, { ...HOW, maxNewTokens: 40 });
      for (let i = 0; i < after; i++) await text.next();
      model.dispose();
      await expect(text.next()).rejects.toMatchObject({ code: 'disposed' });
      expect((await text.next()).done).toBe(true);
      expect(await generated(other, PROMPT, HOW)).toEqual(alone);
      using again = await load();
      expect(await generated(again, PROMPT, HOW)).toEqual(alone);
    },
  );

  it('bug 3: dispose() while a token is on its way is the token, or `disposed`', async () => {
    const model = await load();
    const text = model.generate(PROMPT, HOW);
    await text.next();
    const pulled = text.next().catch((error: unknown) => error);
    model.dispose();
    const got = await pulled;
    expect(got).toSatisfy(
      (value: { done?: boolean; code?: string }) => value.done === false || value.code === 'disposed',
    );
    using other = await load();
    expect(await generated(other, PROMPT, HOW)).toHaveLength(12);
  });
});

describe('what the files of a model say of generating', () => {
  const greedy = { temperature: 0, maxNewTokens: 8 };
  const tokens = async (model: TextGenerator, options: GenerateOptions = greedy): Promise<number[]> => {
    const all: number[] = [];
    for await (const { token } of model.generate([21, 78, 206, 65, 200], options)) all.push(token);
    return all;
  };
  const GREEDY = [135, 23, 86, 41, 58, 174, 162, 195];

  it.each<[string, object, object | undefined, number[]]>([
    ['a list in config.json', { eos_token_id: [0, 41] }, undefined, GREEDY.slice(0, 3)],
    ['a list in generation_config.json', {}, { eos_token_id: [174, 58] }, GREEDY.slice(0, 4)],
    [
      'a number in generation_config.json, which goes before config.json',
      { eos_token_id: 23 },
      { eos_token_id: 162 },
      GREEDY.slice(0, 6),
    ],
    ['nothing in generation_config.json', { eos_token_id: [86] }, {}, GREEDY.slice(0, 2)],
  ])('bug 10: the text ends at %s', async (_, config, generation, expected) => {
    using model = await said(config, generation);
    expect(await tokens(model)).toEqual(expected);
    expect(await tokens(model, { ...greedy, stopTokens: [] })).toEqual(GREEDY);
  });

  it('penalties, bans and biases hold where the caller says nothing', async () => {
    const files = {
      repetition_penalty: 1.3,
      no_repeat_ngram_size: 2,
      min_p: 0.1,
      sequence_bias: [[[58], -3]],
      bad_words_ids: [[135], [23, 86]],
      suppress_tokens: [174],
    };
    using model = await said({}, { ...files, max_new_tokens: 8 });
    const options = {
      ...{ repetitionPenalty: 1.3, noRepeatNgramSize: 2, minP: 0.1, seed: 3, maxNewTokens: 8 },
      sequenceBias: [[[58], -3], ...[[135], [23, 86], [174]].map((ids) => [ids, Number.NEGATIVE_INFINITY])] as [
        number[],
        number,
      ][],
    };
    const found = await expected(model, [21, 78, 206, 65, 200], options);
    expect(await tokens(model, { seed: 3 })).toEqual(found);
    expect(found).not.toContain(174);
    const none = { repetitionPenalty: 1, noRepeatNgramSize: 0, minP: 0, sequenceBias: [] };
    expect(await tokens(model, { ...greedy, ...none })).toEqual(GREEDY);
  });

  it('a conversation is the prompt that its template writes', async () => {
    const shipped = repositoryFolder('weights/gpt-shakespeare');
    const text = (value: string): Uint8Array => new TextEncoder().encode(value);
    const names = ['model.safetensors', 'config.json', 'tokenizer.json'];
    const own = await Promise.all(names.map(async (name) => [name, await readAnywhere(`${shipped}/${name}`)] as const));
    const files = {
      ...Object.fromEntries(own),
      'tokenizer_config.json': text(JSON.stringify({ eos_token: '<|endoftext|>' })),
      'chat_template.jinja': text('{% for m in messages %}{{ m.role }}:\n{{ m.content }}\n\n{% endfor %}JULIET:'),
    };
    using model = (await (await testEngine()).load(files)) as TextGenerator;
    const joined = async (stream: AsyncGenerator<{ text: string }>): Promise<string> => {
      let all = '';
      for await (const piece of stream) all += piece.text;
      return all;
    };
    const how = { temperature: 0, maxNewTokens: 12 };
    const messages = [{ role: 'ROMEO', content: 'My love!' }];
    const expected = await joined(model.generate('ROMEO:\nMy love!\n\nJULIET:', how));
    expect(await joined(model.chat(messages, how))).toBe(expected);
    const long = [{ role: 'ROMEO', content: 'love '.repeat(model.context) }];
    await expect(joined(model.chat(long, { ...how, overflow: 'slide' }))).rejects.toMatchObject({
      code: 'context-exceeded',
    });
    for (const wrong of [{ tools: [{ name: 'f' }] }, { template: 'x' }, { temprature: 1 } as object])
      await expect(joined(model.chat(messages, wrong))).rejects.toMatchObject({ code: 'invalid-argument' });
    using bare = (await (await testEngine()).load(shipped)) as TextGenerator;
    await expect(joined(bare.chat(messages))).rejects.toMatchObject({ code: 'not-found' });
  });

  it('a text keeps to a JSON schema or an expression, and says why it ended', async () => {
    using model = (await (await testEngine()).load(repositoryFolder('weights/gpt-shakespeare'))) as TextGenerator;
    const read = async (options: GenerateOptions): Promise<[text: string, generation: Generation]> => {
      const stream = model.generate('ROMEO:\n', { temperature: 0, maxNewTokens: 200, ...options });
      for (let text = ''; ; ) {
        const { value, done } = await stream.next();
        if (done) return [text, value];
        text += value.text;
      }
    };
    const schema = {
      type: 'object',
      properties: { name: { type: 'string', maxLength: 8 }, age: { type: 'integer', minimum: 10, maximum: 99 } },
      required: ['name', 'age'],
    };
    for (const options of [{}, { temperature: 1, seed: 3, repetitionPenalty: 1.1 }]) {
      const [text, { reason, promptTokens, tokens }] = await read({ ...options, constraint: schema });
      const { name, age } = JSON.parse(text);
      expect([name.length <= 8, age >= 10 && age <= 99, Object.keys(JSON.parse(text)).length]).toEqual([true, true, 2]);
      expect(reason).toBe('stop');
      expect([promptTokens, tokens > 5]).toEqual([model.tokenizer.encode('ROMEO:\n').length, true]);
    }
    expect(await read({ constraint: /(thou|thee){2}/ })).toMatchObject([/^(thou|thee){2}$/, { reason: 'stop' }]);
    const [cut, { reason, tokens }] = await read({ constraint: { type: 'string', minLength: 40 }, maxNewTokens: 3 });
    expect([cut[0], reason, tokens]).toEqual(['"', 'length', 3]);
    expect((await read({ maxNewTokens: 2 }))[1]).toMatchObject({ reason: 'length', promptTokens: 3, tokens: 2 });
    for (const constraint of [{ type: 'x' }, /a\b/, { $ref: '#' }])
      await expect(read({ constraint })).rejects.toMatchObject({ code: 'invalid-argument' });
    using bare = await load();
    await expect(generated(bare, [1], { constraint: /a/ })).rejects.toMatchObject({ code: 'not-found' });
  });

  it.each<GenerateOptions>([
    { temperature: 0 },
    { seed: 3, temperature: 1.5, topK: 9 },
    { seed: 3, repetitionPenalty: 2 },
  ])('tokens come with their probabilities, as the logits have them: %j', async (options) => {
    using model = await load();
    const prompt = [5, 1, 7, 7];
    const ids = [...prompt];
    const how = { ...options, maxNewTokens: 5, stopTokens: [] };
    for await (const { token, logprobs } of model.generate(prompt, { ...how, logprobs: 3 })) {
      const line = Array.from((await model.logits(ids)).subarray(-model.shape.vocabulary));
      const total = Math.log(line.reduce((sum, value) => sum + Math.exp(value), 0));
      const order = line.map((_, id) => id).sort((a, b) => line[b]! - line[a]! || a - b);
      expect(logprobs!.top.map((one) => one.token)).toEqual(order.slice(0, 3));
      for (const one of [logprobs!.drawn, ...logprobs!.top])
        expect(one.logprob).toBeCloseTo(line[one.token]! - total, 4);
      expect(logprobs!.drawn.token).toBe(token);
      ids.push(token);
    }
    expect(ids.slice(4)).toEqual(await generated(model, prompt, how));
    expect(ids.length).toBe(9);
  });

  it('a text ends before a stop string, of which nothing is in the stream', async () => {
    const shipped = repositoryFolder('weights/gpt-shakespeare');
    const read = async (options: GenerateOptions, model: TextGenerator): Promise<string[]> => {
      const pieces: string[] = [];
      for await (const { text } of model.generate('ROMEO:\n', { temperature: 0, maxNewTokens: 24, ...options }))
        pieces.push(text);
      return pieces;
    };
    using model = (await (await testEngine()).load(shipped)) as TextGenerator;
    const all = (await read({}, model)).join('');
    for (const stop of [all.slice(9, 13), all.slice(20, 21), all.slice(1, 12)]) {
      const pieces = await read({ stopStrings: ['no such text', stop] }, model);
      expect(pieces.join('')).toBe(all.slice(0, all.indexOf(stop)));
    }
    expect((await read({ stopStrings: ['\u{1f600}'] }, model)).join('')).toBe(all);
    using bare = await load();
    await expect(generated(bare, [1], { stopStrings: ['a'] })).rejects.toMatchObject({ code: 'not-found' });
  });

  it.each([
    ['config.json', undefined],
    ['config.json, which generation_config.json was made from', { _from_model_config: true, eos_token_id: 0 }],
  ])('bug 10: the shipped GPT ends where %s says', async (_, generation) => {
    const shipped = repositoryFolder('weights/gpt-shakespeare');
    using whole = (await (await testEngine()).load(shipped)) as TextGenerator;
    const prompt = whole.tokenizer.encode('ROMEO:\n');
    using model = await said({ eos_token_id: [0, 732] }, generation, shipped);
    const found: number[] = [];
    for await (const { token } of model.generate(prompt, greedy)) found.push(token);
    expect(found).toEqual([41, 458]);
  });

  it('bug 10: temperature, top-k, top-p and lengths hold where the caller says nothing', async () => {
    using still = await said({}, { do_sample: false, max_new_tokens: 5, top_k: 50 });
    expect(await tokens(still, {})).toEqual(GREEDY.slice(0, 5));
    expect(await tokens(still, { maxNewTokens: 2 })).toEqual(GREEDY.slice(0, 2));
    using sampled = await said({}, { do_sample: true, temperature: 0.5, top_k: 9, top_p: 0.8, max_length: 11 });
    using plain = await said({});
    const same = { seed: 3, temperature: 0.5, topK: 9, topP: 0.8, maxNewTokens: 6 };
    expect(await tokens(sampled, { seed: 3 })).toEqual(await tokens(plain, same));
    expect(await tokens(sampled, { ...greedy, temperature: 0 })).toEqual(GREEDY);
  });

  it.each([
    [{}, { repetition_penalty: 0 }],
    [{}, { no_repeat_ngram_size: -3 }],
    [{}, { num_beams: 4 }],
    [{}, { penalty_alpha: 0.6 }],
    [{}, { begin_suppress_tokens: [5] }],
    [{}, { min_p: 2 }],
    [{}, { stop_strings: [7] }],
    [{}, { sequence_bias: [[[], 1]] }],
    [{}, { forced_eos_token_id: 0 }],
    [{}, { eos_token_id: '0' }],
    [{ encoder_repetition_penalty: 1.2 }, undefined],
    [{ add_cross_attention: true }, undefined],
    [{ activation_function: 'gelu_of_tomorrow' }, undefined],
    [{ n_head: 0.5 }, undefined],
    [{ n_head: -4 }, undefined],
    [{ scale_attn_weights: 'no' }, undefined],
    [{ quantization_config: { bits: 4 } }, undefined],
    [{ pruned_heads: { 0: [1] } }, undefined],
  ] as [object, object | undefined][])('bug 10, bug 7: refuses by name %j %j', async (config, generation) => {
    const [[name, value]] = Object.entries({ ...config, ...generation }) as [[string, unknown]];
    const message = expect.stringMatching(`${name}.*got`);
    await expect(said(config, generation), `${value}`).rejects.toMatchObject({ code: 'unsupported-option', message });
  });

  it('loads what a published folder says besides', async () => {
    using model = await said(
      { reorder_and_upcast_attn: true, torch_dtype: 'float16', pruned_heads: {}, n_inner: 192, hidden_size: 48 },
      {
        repetition_penalty: 1,
        num_beams: 1,
        pad_token_id: 0,
        suppress_tokens: null,
        bad_words_ids: [],
        use_cache: true,
      },
    );
    expect(await tokens(model)).toEqual(GREEDY);
    await expect(said({ n_inner: 100 })).rejects.toMatchObject({ code: 'wrong-shape' });
    await expect(said({ max_position_embeddings: 100 })).rejects.toMatchObject({ code: 'wrong-shape' });
    await expect(said({ tie_word_embeddings: false })).rejects.toMatchObject({ code: 'missing-tensor' });
  });

  // Right values: the formulas of transformers' GPT2Model in float64 (NumPy).
  it.each<[object, number[]]>([
    [{}, [-0.2658, 2.2192, -0.3933, 0.2912]],
    [{ activation_function: 'silu' }, [-0.2873, 2.1222, -0.4155, 0.4576]],
    [{ activation_function: 'tanh' }, [-0.7766, 0.6998, -0.8007, 3.0813]],
    [{ activation_function: 'quick_gelu' }, [-0.2614, 2.2065, -0.407, 0.319]],
    [{ activation_function: 'mish' }, [-0.3564, 2.0745, -0.4716, 0.5257]],
    [{ scale_attn_weights: false }, [-0.2226, 2.3324, -0.1588, 0.0604]],
    [{ scale_attn_by_inverse_layer_idx: true }, [-0.3125, 2.1858, -0.5541, 0.4429]],
    [{ layer_norm_epsilon: 0.1 }, [-0.2924, 2.1591, -0.3237, 0.1789]],
  ])('bug 7: computes what config.json says: %j', async (config, expected) => {
    using model = await said(config);
    const logits = (await model.logits([21, 78, 206, 65, 200])).subarray(-model.shape.vocabulary);
    for (const [i, value] of expected.entries()) expect(Math.abs(logits[i]! - value)).toBeLessThan(2e-4);
  });
});

describe('bug 17: options of a text model', () => {
  const bad: readonly (readonly [string, unknown])[] = [
    ...[-1, Number.NaN, null, 2.5, '5', Number.POSITIVE_INFINITY].map((value) => ['maxNewTokens', value] as const),
    ['max_new_tokens', 5],
    ['temperature', '0.5'],
    ['topK', 0],
    ['seed', -1],
    ['overflow', 'wrap'],
    ['stopTokens', 3],
    ['stopTokens', [1.5]],
    ['signal', {}],
    ['greedy', 1],
  ];

  it.each(bad)('generate: %s %j', async (name, value) => {
    using model = await load();
    const message = expect.stringContaining(name);
    await expect(generated(model, [1], { [name]: value } as GenerateOptions)).rejects.toMatchObject({
      code: 'invalid-argument',
      message,
    });
  });

  it('prompts, ids and texts', async () => {
    using model = await load();
    const refused = { code: 'invalid-argument' };
    for (const prompt of [null, undefined, 7, [1, '2'], [0.5], [-1], [211], { length: 0 }] as unknown as number[][]) {
      await expect(generated(model, prompt, {}), String(prompt)).rejects.toMatchObject(refused);
      await expect(model.logits(prompt)).rejects.toMatchObject(refused);
      await expect(model.perplexity(prompt)).rejects.toMatchObject(refused);
    }
    await expect(model.logits([1], { batch: 2 } as object)).rejects.toMatchObject(refused);
    await expect(model.perplexity([1], { stride: 2 } as object)).rejects.toMatchObject(refused);
  });
});

describe('bug 8, bug 29, bug 30: files of a text model', () => {
  const config = () => readAnywhere(`${FOLDER}/config.json`);
  const text = (json: unknown): Uint8Array =>
    new TextEncoder().encode(typeof json === 'string' ? json : JSON.stringify(json));
  /** The checkpoint with more tensors. */
  async function weights(more: Record<string, readonly number[]>): Promise<Uint8Array> {
    const tensors = [...(await parseTensors(await readAnywhere(`${FOLDER}/model.safetensors`)))].map(
      ([name, { shape, data }]) => ({ name, storedType: 'F32' as const, shape, bytes: new Uint8Array(data.buffer) }),
    );
    const added = Object.entries(more).map(([name, shape]) => {
      const bytes = new Uint8Array(4 * shape.reduce((a, b) => a * b, 1));
      return { name, storedType: 'F32' as const, shape, bytes };
    });
    return encodeSafetensors([...tensors, ...added]);
  }

  it('names tensors that no layer takes; masks are no such', async () => {
    const engine = await testEngine();
    const extra = {
      'transformer.h.0.crossattention.c_attn.weight': [48, 96],
      'transformer.h.1.attn.bias': [1, 1, 96, 96],
    };
    const files = { 'model.safetensors': await weights(extra), 'config.json': await config() };
    const message = expect.stringMatching(/takes transformer\.h\.0\.crossattention\.c_attn\.weight:/);
    await expect(engine.load(files)).rejects.toMatchObject({ code: 'unused-tensor', message });
    using model = (await engine.load(files, { allowUnused: true })) as TextGenerator;
    expect(await generated(model, [21, 78, 206, 65, 200], { temperature: 0, maxNewTokens: 1 })).toEqual([135]);
  });

  it('a tied head is the table, whatever lies beside it; another is taken where the config says so', async () => {
    const engine = await testEngine();
    const model = { 'model.safetensors': await weights({ 'lm_head.weight': [211, 48] }) };
    using tied = (await engine.load({ ...model, 'config.json': await config() })) as TextGenerator;
    expect(Math.abs((await tied.logits([21, 78, 206, 65, 200])).at(-211)! + 0.2658)).toBeLessThan(2e-4);
    const fields = JSON.parse(new TextDecoder().decode(await config()));
    using untied = (await engine.load({
      ...model,
      'config.json': text({ ...fields, tie_word_embeddings: false }),
    })) as TextGenerator;
    expect(new Set(await untied.logits([21]))).toEqual(new Set([0]));
  });

  it.each<[string, string, unknown]>([
    [
      'an id beyond the vocabulary',
      'tokenizer.json',
      { model: { type: 'BPE', vocab: { a: 3e7 }, merges: [] }, added_tokens: [] },
    ],
    ['deep nesting', 'config.json', `{"model_type": ${'['.repeat(6000)}${']'.repeat(6000)}}`],
    ['deep nesting', 'generation_config.json', `{"eos_token_id": ${'['.repeat(6000)}${']'.repeat(6000)}}`],
    ['deep nesting', 'tokenizer.json', `${'{"model":'.repeat(6000)}1${'}'.repeat(6000)}`],
    ['HTML', 'tokenizer_config.json', '<!doctype html><p>not found</p>'],
  ])('refuses %s in %s', async (_, file, json) => {
    const files = {
      'model.safetensors': await readAnywhere(`${FOLDER}/model.safetensors`),
      'config.json': await config(),
    };
    const refusal = { code: 'invalid-file', message: expect.stringContaining(file) };
    await expect((await testEngine()).load({ ...files, [file]: text(json) })).rejects.toMatchObject(refusal);
  });
});
