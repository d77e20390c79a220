import { describe, expect, it } from 'vitest';
import { OpenAI } from '../../src/openai/index.ts';
import { type Call, saying } from './answering.ts';

const ASKED = { model: 'm', messages: [{ role: 'user', content: 'Hello?' }] };
const TOOLS = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];

const all = async <T>(parts: AsyncIterable<T>): Promise<T[]> => {
  const got: T[] = [];
  for await (const part of parts) got.push(part);
  return got;
};

/** What a model says, as a chat completion. */
async function answered(pieces: readonly string[], body: object = {}) {
  const calls: Call[] = [];
  const client = new OpenAI({ m: saying(pieces, calls) });
  return { ...(await client.chat.completions.create({ ...ASKED, ...body })), calls };
}

describe('a chat', () => {
  it('is answered with the message, why it ended, and the tokens counted', async () => {
    const { id, object, model, choices, usage } = await answered(['Good', ' day', '.']);
    expect(id).toMatch(/^chatcmpl-[\da-f]{32}$/);
    expect({ object, model }).toEqual({ object: 'chat.completion', model: 'm' });
    expect(choices).toEqual([
      {
        index: 0,
        message: { role: 'assistant', content: 'Good day.', refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ]);
    expect(usage).toEqual({
      prompt_tokens: 7,
      completion_tokens: 3,
      total_tokens: 10,
      prompt_tokens_details: { cached_tokens: 4 },
    });
    expect((await answered(['a', 'b', 'c'], { max_tokens: 2 })).choices[0].finish_reason).toBe('length');
  });

  it('says how likely its tokens were, whole and in parts', async () => {
    const asked = { logprobs: true, top_logprobs: 2 };
    const { choices } = await answered(['Gü', ''], asked);
    const one = (token: string, bytes: number[], logprob: number) => ({ token, bytes, logprob });
    const first = {
      ...one('Gü0', [71, 195, 188, 48], -1),
      top_logprobs: [one('Gü1', [71, 195, 188, 49], -2), one('Gü2', [71, 195, 188, 50], -3)],
    };
    const second = { ...one('0', [48], -1), top_logprobs: [one('1', [49], -2), one('2', [50], -3)] };
    expect(choices[0].logprobs).toEqual({ content: [first, second], refusal: null });
    const client = new OpenAI({ m: saying(['Gü', '']) });
    const body = { model: 'm', messages: [{ role: 'user', content: 'a' }], stream: true, ...asked } as const;
    const parts = [];
    for await (const { choices } of await client.chat.completions.create(body)) parts.push(choices[0]!.logprobs);
    expect(parts).toEqual([null, { content: [first], refusal: null }, { content: [second], refusal: null }]);
    expect((await answered(['a'], { logprobs: true })).choices[0].logprobs?.content[0]?.top_logprobs).toEqual([]);
  });

  it('hands on what is asked, in the words of the engine', async () => {
    const { calls } = await answered(['x'], {
      max_completion_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      seed: 3,
      stop: '\n',
      presence_penalty: 0.25,
      frequency_penalty: -0.25,
      logit_bias: { 5: -100 },
      n: 1,
      user: 'me',
      logprobs: false,
      response_format: { type: 'text' },
      tools: null,
    });
    expect(calls[0]!.options).toMatchObject({
      maxNewTokens: 9,
      temperature: 0.5,
      topP: 0.9,
      seed: 3,
      stopStrings: ['\n'],
      presencePenalty: 0.25,
      frequencyPenalty: -0.25,
      sequenceBias: [[[5], -100]],
    });
    expect((await answered(['x'], { top_p: 0 })).calls[0]!.options).toMatchObject({ topK: 1 });
  });

  it('asks for JSON, by a schema or any', async () => {
    const schema = { type: 'object', properties: { a: { type: 'integer' } } };
    const format = { type: 'json_schema', json_schema: { name: 'x', schema, strict: true } };
    for (const [response_format, constraint] of [
      [format, schema],
      [{ type: 'json_object' }, { type: 'object' }],
      [{ type: 'text' }, undefined],
    ])
      expect((await answered(['x'], { response_format })).calls[0]!.options['constraint']).toEqual(constraint);
  });

  it('has messages of parts, and calls with their arguments read', async () => {
    const call = { id: 'c', type: 'function', function: { name: 'weather', arguments: '{"in":"Rome"}' } };
    const { calls } = await answered(['x'], {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', content: 'rain', tool_call_id: 'c' },
      ],
    });
    expect(calls[0]!.messages).toEqual([
      { role: 'user', content: 'ab' },
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ ...call, function: { name: 'weather', arguments: { in: 'Rome' } } }],
      },
      { role: 'tool', content: 'rain', tool_call_id: 'c' },
    ]);
  });

  it('is streamed: the role, the pieces, the reason, and the usage where it is asked for', async () => {
    const client = new OpenAI({ m: saying(['Good', '', ' day']) });
    const parts = await all(await client.chat.completions.create({ ...ASKED, stream: true }));
    expect(parts.map(({ choices: [choice] }) => [choice?.delta, choice?.finish_reason])).toEqual([
      [{ role: 'assistant', content: '' }, null],
      [{ content: 'Good' }, null],
      [{ content: ' day' }, null],
      [{}, 'stop'],
    ]);
    expect(new Set(parts.map(({ id }) => id)).size).toBe(1);
    const counted = await all(
      await client.chat.completions.create({ ...ASKED, stream: true, stream_options: { include_usage: true } }),
    );
    expect(counted.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 10 } });
    expect(counted.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
  });

  it.each([
    [{ model: 'other' }, 'not-found', /"other".*/],
    [{ model: undefined }, 'not-found', /undefined/],
    [{ messages: [] }, 'invalid-argument', /messages: expected a list of one or more/],
    [{ messages: 'hi' }, 'invalid-argument', /messages/],
    [{ messages: [{ content: 'a' }] }, 'invalid-argument', /messages\[0\]: role/],
    [{ messages: [{ role: 'user', content: 3 }] }, 'invalid-argument', /messages\[0\]: content/],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }, 'invalid-argument', /"image_url"/],
    [
      { messages: [{ role: 'assistant', tool_calls: [{ function: { arguments: '{' } }] }] },
      'invalid-argument',
      /no JSON/,
    ],
    [{ messages: [{ role: 'user', content: 'boom' }] }, 'invalid-argument', /template failed/],
    [{ n: 2 }, 'invalid-argument', /n: expected 1, got 2/],
    [{ top_logprobs: 2 }, 'invalid-argument', /top_logprobs/],
    [{ logprobs: true, top_logprobs: 21 }, 'invalid-argument', /top_logprobs/],
    [{ response_format: { type: 'grammar' } }, 'invalid-argument', /response_format.type/],
    [{ response_format: { type: 'json_schema' } }, 'invalid-argument', /json_schema.schema/],
    [{ tool_choice: 'required' }, 'invalid-argument', /tool_choice/],
    [{ tools: [{ type: 'web' }] }, 'invalid-argument', /tools\[0\]/],
    [{ stream_options: { every: 1 } }, 'invalid-argument', /stream_options.*every/],
    [{ frobnicate: 1 }, 'invalid-argument', /frobnicate/],
  ])('refuses %j by name, streamed or not', async (body, code, message) => {
    const client = new OpenAI({ m: saying(['x']) });
    for (const stream of [false, true])
      await expect(client.chat.completions.create({ ...ASKED, ...body, stream })).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
      });
  });

  it('ends where its reader leaves, and where the signal fires', async () => {
    const abort = new AbortController();
    const client = new OpenAI({ m: saying(Array(100).fill('x')) });
    for await (const _ of await client.chat.completions.create({ ...ASKED, stream: true })) break;
    const parts = await client.chat.completions.create({ ...ASKED, stream: true }, { signal: abort.signal });
    const read = async () => {
      for await (const _ of parts) abort.abort();
    };
    await expect(read()).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('calls of functions', () => {
  const said = (text: string): string[] => text.match(/[\s\S]{1,3}/g) ?? [];
  const call = (name = 'weather') => `{"name": "${name}", "arguments": {"in": "Rome"}}`;
  const weather = { name: 'weather', arguments: '{"in":"Rome"}' };

  it.each([
    ['marked', `<tool_call>\n${call()}\n</tool_call>`, null, [weather]],
    ['two', `<tool_call>${call()}</tool_call>\n<tool_call>${call()}</tool_call>`, null, [weather, weather]],
    ['after words', `Let me look. <tool_call>${call()}</tool_call>`, 'Let me look. ', [weather]],
    ['bare', ` {"name": "weather", "parameters": {"in": "Rome"}}`, null, [weather]],
    [
      'of no function that there is',
      `<tool_call>${call('frob')}</tool_call>`,
      `<tool_call>${call('frob')}</tool_call>`,
      [],
    ],
    ['that are no JSON', '<tool_call>{"name": "wea', '<tool_call>{"name": "wea', []],
    ['that are other JSON', '{"answer": 42}', '{"answer": 42}', []],
    ['none', 'if a < b then <tool', 'if a < b then <tool', []],
  ])('%s', async (_, text, content, calls) => {
    const { choices } = await answered(said(text), { tools: TOOLS });
    const [{ message, finish_reason }] = choices;
    expect(message.content).toBe(content);
    expect((message.tool_calls ?? []).map((one) => one.function)).toEqual(calls);
    expect(finish_reason).toBe(calls.length ? 'tool_calls' : 'stop');
    const client = new OpenAI({ m: saying(said(text)) });
    const parts = await all(await client.chat.completions.create({ ...ASKED, tools: TOOLS, stream: true }));
    const deltas = parts.map(({ choices: [choice] }) => choice!.delta);
    expect(deltas.map((delta) => delta.content ?? '').join('')).toBe(content ?? '');
    expect(deltas.flatMap((delta) => delta.tool_calls ?? []).map((one) => one.function)).toEqual(calls);
  });

  it('are text where no function was given, or none is wanted', async () => {
    for (const body of [{}, { tools: TOOLS, tool_choice: 'none' }]) {
      const { choices, calls } = await answered(said(call()), body);
      expect(choices[0].message.content).toBe(call());
      expect(calls[0]!.options['tools']).toBeUndefined();
    }
  });
});

describe('a text', () => {
  it('is gone on with', async () => {
    const calls: Call[] = [];
    const client = new OpenAI({ m: saying([' and', ' so'], calls) });
    const whole = await client.completions.create({ model: 'm', prompt: 'On', max_tokens: 5 });
    expect(whole.choices).toEqual([{ index: 0, text: ' and so', logprobs: null, finish_reason: 'stop' }]);
    expect(whole.usage).toEqual({
      prompt_tokens: 7,
      completion_tokens: 2,
      total_tokens: 9,
      prompt_tokens_details: { cached_tokens: 4 },
    });
    const parts = await all(await client.completions.create({ model: 'm', prompt: [1, 2], stream: true }));
    expect(parts.map(({ choices: [choice] }) => choice!.text).join('')).toBe(' and so');
    expect(calls.map(({ prompt }) => prompt)).toEqual(['On', [1, 2]]);
    await expect(client.completions.create({ model: 'm', prompt: 'a', echo: true })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });

  it('the models are listed', async () => {
    expect(await new OpenAI({ m: saying([]) }).models.list()).toMatchObject({
      object: 'list',
      data: [{ id: 'm', object: 'model' }],
    });
  });
});
