import { describe, expect, it } from 'vitest';
import { TilewrightError } from '../../src/errors.ts';
import {
  type DownloadProgressEvent,
  type LanguageModelCreateOptions,
  type LanguageModelPrompt,
  type LanguageModelPromptOptions,
  type LanguageModelTool,
  PromptAPI,
} from '../../src/prompt/index.ts';
import type { ChatMessage } from '../../src/text/chat.ts';
import { answering } from './prompting.ts';

/** A model that says in capitals what it was asked last. */
const loud = (messages: readonly ChatMessage[]): string => String(messages.at(-1)!.content).toUpperCase();
const user = (content: string) => ({ role: 'user' as const, content });
const assistant = (content: string) => ({ role: 'assistant' as const, content });
const system = (content: string) => ({ role: 'system' as const, content });
const named = (name: string, message = /./) =>
  expect.objectContaining({ name, message: expect.stringMatching(message) });

/** A session over a model, and that. */
async function opened(options: LanguageModelCreateOptions = {}, model = answering(loud)) {
  return { session: await new PromptAPI(model).create(options), model };
}

describe('a session', () => {
  it('answers prompts one after the other, each with what came before', async () => {
    const { session, model } = await opened({ initialPrompts: [system('Shout.'), user('a'), assistant('A')] });
    const replies = await Promise.all(['b', 'c'].map((text) => session.prompt(text)));
    expect(replies).toEqual(['B', 'C']);
    const begin = [system('Shout.'), user('a'), assistant('A')];
    expect(model.calls.map(({ messages }) => messages)).toEqual([
      [...begin, user('b')],
      [...begin, user('b'), assistant('B'), user('c')],
    ]);
  });

  it('streams a reply in pieces, which wait for their reader and hold up nobody', async () => {
    const { session } = await opened();
    const stream = session.promptStreaming('abc');
    expect(await session.prompt('d')).toBe('D');
    const pieces: string[] = [];
    for await (const piece of stream) pieces.push(piece);
    expect(pieces).toEqual(['A', 'B', 'C']);
  });

  it('reads texts, lists of messages and parts', async () => {
    const { session, model } = await opened();
    await session.prompt([]);
    await session.append([user('x')]);
    const parts = ['y', 'z'].map((value) => ({ type: 'text' as const, value }));
    await session.prompt([assistant('X'), { role: 'user', content: parts }]);
    expect(model.calls[1]!.messages).toEqual([user(''), assistant(''), user('x'), assistant('X'), user('yz')]);
    const first = await opened();
    await first.session.append([system('s')]);
    await first.session.prompt('q');
    expect(first.model.calls[0]!.messages).toEqual([system('s'), user('q')]);
  });

  it('goes on with a prefix, which is a part of the reply that it remembers', async () => {
    const { session, model } = await opened(
      {},
      answering(() => 'b'),
    );
    expect(await session.prompt([user('q'), { role: 'assistant', content: 'a ', prefix: true }])).toBe('b');
    expect(model.calls[0]!.options.continueFinalMessage).toBe(true);
    await session.prompt('r');
    expect(model.calls[1]!.messages).toEqual([user('q'), assistant('a b'), user('r')]);
    expect(model.calls[1]!.options.continueFinalMessage).toBe(false);
  });

  it('counts its tokens, and beforehand those of a prompt, as the template writes them', async () => {
    const { session } = await opened({ initialPrompts: [system('Be.')] });
    expect(session.contextUsage).toBe('<|im_start|>system\nBe.<|im_end|>\n'.length);
    expect([session.contextWindow, session.inputQuota, session.inputUsage]).toEqual([1000, 1000, session.contextUsage]);
    const asked = '<|im_start|>user\nhi<|im_end|>\n'.length;
    const before = session.contextUsage;
    expect(await session.measureContextUsage('hi')).toBe(asked + '<|im_start|>assistant\n'.length);
    expect(await session.measureInputUsage([user('hi')])).toBe(await session.measureContextUsage('hi'));
    await session.append('hi');
    expect(session.contextUsage).toBe(before + asked);
    const { session: empty } = await opened();
    expect(empty.contextUsage).toBe(0);
    expect(await empty.measureContextUsage([user('hi'), { ...assistant('a'), prefix: true }])).toBe(
      asked + '<|im_start|>assistant\na'.length,
    );
  });

  it('is copied with what it was told, and goes its own way', async () => {
    const { session, model } = await opened({ initialPrompts: [system('s')] });
    await session.prompt('a');
    const copy = await session.clone();
    expect(copy.contextUsage).toBe(session.contextUsage);
    session.destroy();
    await copy.prompt('b');
    expect(model.calls[1]!.messages).toEqual([system('s'), user('a'), assistant('A'), user('b')]);
    await expect(copy.clone({ signal: AbortSignal.abort() })).rejects.toEqual(named('AbortError'));
  });
});

describe('how tokens are drawn', () => {
  it('is as the model says, or as both numbers do, within their bounds', async () => {
    const model = answering(loud, { generationConfig: { temperature: 0.6, topK: 40 } });
    const api = new PromptAPI(model);
    expect(await api.params()).toEqual({
      defaultTopK: 40,
      maxTopK: 100,
      defaultTemperature: 0.6,
      maxTemperature: 2,
    });
    for (const [options, topK, temperature, samplingMode] of [
      [{}, 40, 0.6, 'balanced'],
      [{ topK: 7.9, temperature: 0.5 }, 7, 0.5, null],
      [{ topK: Infinity, temperature: Infinity }, 100, 2, null],
      [{ samplingMode: 'most-predictable' }, 1, 0, 'most-predictable'],
    ] as const) {
      const session = await api.create(options);
      expect([session.topK, session.temperature, session.samplingMode]).toEqual([topK, temperature, samplingMode]);
      await session.prompt('x');
      const { options: how } = model.calls.at(-1)!;
      const balanced = samplingMode === 'balanced';
      expect([how.topK, how.temperature]).toEqual(balanced ? [undefined, undefined] : [topK, temperature]);
    }
    const session = await new PromptAPI(answering(loud)).create();
    expect([session.topK, session.temperature]).toEqual([100, 1]);
  });

  it('keeps to a constraint, which the question ends with unless that is left out', async () => {
    const schema = { type: 'object' };
    const { session, model } = await opened();
    await session.prompt('x', { responseConstraint: schema, omitResponseConstraintInput: true });
    expect(model.calls[0]!).toMatchObject({ messages: [user('x')], options: { constraint: schema } });
    await session.prompt('y', { responseConstraint: /yes|no/ });
    const { messages, options } = model.calls[1]!;
    expect(messages.at(-1)!.content).toBe('y\n\nAnswer with a text that this regular expression matches: /yes|no/');
    expect(options.constraint).toEqual(/yes|no/);
    const more = await session.measureContextUsage('z', { responseConstraint: schema });
    expect(more).toBeGreaterThan((await session.measureContextUsage('z')) + JSON.stringify(schema).length);
  });
});

describe('a conversation that outgrows the context', () => {
  const turn = '<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nA<|im_end|>\n'.length;
  const initialPrompts = [system('s')];

  it('loses its oldest prompts with their replies, never the initial ones, and tells', async () => {
    const model = answering(loud, { context: 3 * turn });
    const { session } = await opened({ initialPrompts }, model);
    const told: string[] = [];
    for (const name of ['contextoverflow', 'quotaoverflow'])
      session.addEventListener(name, ({ type }) => told.push(type));
    session.oncontextoverflow = () => told.push('on');
    await session.prompt('a');
    await session.prompt('b');
    expect(told).toEqual([]);
    const before = session.contextUsage;
    await session.prompt('c');
    expect(told).toEqual(['on', 'contextoverflow', 'quotaoverflow']);
    expect(model.calls.at(-1)!.messages).toEqual([...initialPrompts, user('b'), assistant('B'), user('c')]);
    expect(session.contextUsage).toBe(before);
  });

  it('goes on within a reply that fills it, where older turns can leave', async () => {
    const long = 'x'.repeat(2 * turn - 20);
    const model = answering(
      (messages) => {
        const [said, asked] = [...messages].reverse().map(({ role, content }) => [role, String(content)] as const) as [
          readonly [string, string],
          readonly [string, string],
        ];
        if (said[0] === 'assistant') return asked[1].slice(said[1].length).toUpperCase();
        return said[1].toUpperCase();
      },
      { context: 5 * turn },
    );
    const { session } = await opened({ initialPrompts }, model);
    await session.prompt('a');
    expect(await session.prompt(long)).toBe(long.toUpperCase());
    expect(model.calls).toHaveLength(3);
    expect(model.calls[2]!.options.continueFinalMessage).toBe(true);
    expect(model.calls[2]!.messages.slice(0, 2)).toEqual([...initialPrompts, user(long)]);
    const { session: alone } = await opened({ initialPrompts }, model);
    const cut = await alone.prompt('y'.repeat(3 * turn));
    expect(cut).toMatch(/^Y+$/);
    expect(cut.length).toBeLessThan(3 * turn);
  });

  it('refuses what does not fit at all, and loses nothing', async () => {
    const model = answering(loud, { context: 2 * turn });
    const { session } = await opened({ initialPrompts }, model);
    await session.prompt('a');
    const before = session.contextUsage;
    const huge = 'z'.repeat(3 * turn);
    for (const call of ['prompt', 'append'] as const) {
      const error = await session[call](huge).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(DOMException);
      expect(error).toMatchObject({ name: 'QuotaExceededError', quota: 2 * turn, cause: { code: 'context-exceeded' } });
      expect((error as { requested: number }).requested).toBeGreaterThan(huge.length);
    }
    expect(session.contextUsage).toBe(before);
    await expect(opened({ initialPrompts: [user(huge)] }, model)).rejects.toEqual(named('QuotaExceededError'));
    const cut = session.prompt('b', { responseConstraint: /B{300}/, omitResponseConstraintInput: true });
    expect(await cut).toBe('B');
    const never = answering(() => 'x'.repeat(999), { context: 2 * turn });
    const constrained = (await opened({}, never)).session.prompt('b', {
      responseConstraint: /x{999}/,
      omitResponseConstraintInput: true,
    });
    await expect(constrained).rejects.toEqual(named('SyntaxError', /cut off/));
  });
});

describe('an end', () => {
  it('of a prompt takes it out, at once, whether it waits or is answered', async () => {
    const { session, model } = await opened();
    const abort = new AbortController();
    const first = session.prompt('a'.repeat(500), { signal: abort.signal });
    const second = session.prompt('b', { signal: abort.signal });
    const third = session.prompt('c');
    await expect.poll(() => model.calls.length).toBe(1);
    abort.abort();
    for (const one of [first, second]) await expect(one).rejects.toEqual(named('AbortError'));
    expect(await third).toBe('C');
    expect(model.calls.map(({ messages }) => messages)).toEqual([[user('a'.repeat(500))], [user('c')]]);
    await expect(session.append('x', { signal: AbortSignal.abort(7) })).rejects.toBe(7);
  });

  it('of a stream by its reader too', async () => {
    const { session, model } = await opened();
    for await (const _ of session.promptStreaming('a'.repeat(500))) break;
    expect(await session.prompt('b')).toBe('B');
    expect(model.calls[1]!.messages).toEqual([user('b')]);
  });

  it('of a session ends all that is under way, and what comes later', async () => {
    const { session } = await opened();
    const stream = session.promptStreaming('a'.repeat(500)).getReader();
    const waiting = session.prompt('b');
    await stream.read();
    session.destroy();
    session.destroy();
    const gone = named('InvalidStateError', /destroyed/);
    await expect(waiting).rejects.toEqual(gone);
    await expect(
      (async () => {
        for (;;) await stream.read();
      })(),
    ).rejects.toEqual(gone);
    for (const call of [session.prompt('c'), session.append('c'), session.measureContextUsage('c'), session.clone()])
      await expect(call).rejects.toEqual(gone);
    expect(session.contextUsage).toBe(0);
  });

  it('comes with the signal that a session was made with', async () => {
    const abort = new AbortController();
    const { session } = await opened({ signal: abort.signal });
    abort.abort('enough');
    await expect(session.prompt('a')).rejects.toBe('enough');
    await expect(opened({ signal: abort.signal })).rejects.toBe('enough');
  });
});

describe('functions', () => {
  const weather = (execute: LanguageModelTool['execute']): LanguageModelTool => ({
    name: 'weather',
    description: 'of a town',
    inputSchema: { type: 'object' },
    execute,
  });
  const call = (town: string) => `<tool_call>{"name": "weather", "arguments": {"in": "${town}"}}</tool_call>`;
  const expected: Partial<LanguageModelCreateOptions> = {
    expectedInputs: [{ type: 'text', languages: ['en'] }, { type: 'tool-response' }],
    expectedOutputs: [{ type: 'tool-call' }],
  };
  const curious = () =>
    answering((messages) =>
      messages.at(-1)!.role === 'tool'
        ? `It is ${messages
            .slice(-2)
            .map(({ content }) => content)
            .join(' and ')}.`
        : `Well. ${call('Rome')}${call('Oslo')}`,
    );

  it('are called with what the model wrote, at once, and it answers with what they gave', async () => {
    const model = curious();
    const asked: unknown[] = [];
    const execute = async (argument: Record<string, unknown>) => {
      asked.push(argument);
      return argument['in'] === 'Rome' ? 'dry' : 'wet';
    };
    const { session } = await opened({ tools: [weather(execute)], ...expected }, model);
    expect(await session.prompt('How is it?')).toBe('Well. It is dry and wet.');
    expect(asked).toEqual([{ in: 'Rome' }, { in: 'Oslo' }]);
    expect(model.calls[0]!.options.tools).toEqual([
      { type: 'function', function: { name: 'weather', description: 'of a town', parameters: { type: 'object' } } },
    ]);
    const [, said, ...results] = model.calls[1]!.messages;
    expect(said).toMatchObject({
      role: 'assistant',
      content: 'Well. ',
      tool_calls: [{ function: { arguments: { in: 'Rome' } } }, {}],
    });
    expect(results.map(({ role, content }) => [role, content])).toEqual([
      ['tool', 'dry'],
      ['tool', 'wet'],
    ]);
    const failing = await opened(
      {
        tools: [
          weather(() => {
            throw new Error('no wind');
          }),
        ],
      },
      curious(),
    );
    await expect(failing.session.prompt('How?')).rejects.toThrow('no wind');
    await expect(session.prompt('x', { responseConstraint: /x/ })).rejects.toEqual(named('NotSupportedError', /tools/));
  });

  it('are refused where the template has no place for them, and without `execute`', async () => {
    const api = new PromptAPI(answering(loud, { template: 'gemma' }));
    const tools = [weather(() => '')];
    expect(await api.availability({ tools })).toBe('unavailable');
    await expect(api.create({ tools })).rejects.toMatchObject({
      name: 'NotSupportedError',
      cause: { code: 'invalid-argument', message: expect.stringContaining('takes no tools') },
    });
    const { execute: _, ...open } = tools[0]!;
    await expect(opened({ tools: [open as LanguageModelTool] }, curious())).rejects.toEqual(
      named('NotSupportedError', /weather has no execute/),
    );
  });
});

describe('what is not done here', () => {
  const any = (value: unknown) => value as never;

  it.each<[string, RegExp, unknown]>([
    ['TypeError', /topK/, { topK: 'many', temperature: 1 }],
    ['RangeError', /topK/, { topK: 0, temperature: 1 }],
    ['RangeError', /temperature/, { topK: 1, temperature: -1 }],
    ['NotSupportedError', /both topK and temperature/, { topK: 1 }],
    ['TypeError', /samplingMode/, { topK: 1, temperature: 1, samplingMode: 'balanced' }],
    ['TypeError', /samplingMode/, { samplingMode: 'wild' }],
    ['NotSupportedError', /"creative"/, { samplingMode: 'creative' }],
    ['NotSupportedError', /expectedInputs: the type "image"/, { expectedInputs: [{ type: 'image' }] }],
    ['NotSupportedError', /expectedOutputs: the type "audio"/, { expectedOutputs: [{ type: 'audio' }] }],
    ['NotSupportedError', /tool-call/, { expectedOutputs: [{ type: 'tool-call' }] }],
    ['TypeError', /type/, { expectedInputs: [{ type: 'smell' }] }],
    ['RangeError', /./, { expectedInputs: [{ type: 'text', languages: ['no language'] }] }],
    ['NotSupportedError', /thinking/, { thinking: { effort: 'high' } }],
    ['TypeError', /options/, 'fast'],
  ])('%s says %s of options', async (name, message, options) => {
    const api = new PromptAPI(answering(loud));
    await expect(api.create(any(options))).rejects.toEqual(named(name, message));
    if (name === 'NotSupportedError') expect(await api.availability(any(options))).toBe('unavailable');
    else await expect(api.availability(any(options))).rejects.toEqual(named(name, message));
  });

  it.each<[string, RegExp, unknown, LanguageModelPromptOptions?]>([
    ['TypeError', /neither a string nor a list/, 7],
    ['TypeError', /role/, [{ role: 'robot', content: 'x' }]],
    ['TypeError', /no role or no content/, [{ role: 'user' }]],
    ['TypeError', /comes first/, [user('a'), system('b')]],
    ['TypeError', /is no string/, [{ role: 'user', content: [{ type: 'text', value: 1 }] }]],
    ['NotSupportedError', /"image"/, [{ role: 'user', content: [{ type: 'image', value: {} }] }]],
    ['NotSupportedError', /name/, [{ ...user('a'), name: 'me' }]],
    ['SyntaxError', /prefix/, [{ ...user('a'), prefix: true }]],
    ['SyntaxError', /prefix/, [{ ...assistant('a'), prefix: true }, user('b')]],
    ['TypeError', /omitResponseConstraintInput/, 'x', { omitResponseConstraintInput: true }],
    ['TypeError', /responseConstraint/, 'x', { responseConstraint: any('JSON') }],
    ['NotSupportedError', /temperature/, 'x', any({ temperature: 1 })],
  ])('%s says %s of prompts', async (name, message, input, options) => {
    const { session } = await opened();
    const given = input as LanguageModelPrompt;
    await expect(session.prompt(given, options)).rejects.toEqual(named(name, message));
    await expect(session.promptStreaming(given, options).getReader().read()).rejects.toEqual(named(name, message));
    await expect(session.measureContextUsage(given, options)).rejects.toEqual(named(name, message));
    expect(await session.prompt('b')).toBe('B');
  });

  it('a system’s message later, prefixes that nobody goes on with, and what a template raises', async () => {
    const { session } = await opened();
    await session.prompt('a');
    await expect(session.prompt([system('s')])).rejects.toEqual(named('TypeError', /comes first/));
    const prefix = [{ ...assistant('a'), prefix: true }];
    await expect(session.append(prefix)).rejects.toEqual(named('NotSupportedError', /prefix/));
    await expect(opened({ initialPrompts: prefix })).rejects.toEqual(named('NotSupportedError', /prefix/));
    const { session: strict } = await opened({}, answering(loud, { template: 'gemma' }));
    await expect(strict.prompt([user('a'), user('b')])).rejects.toMatchObject({
      name: 'NotSupportedError',
      cause: { code: 'invalid-argument' },
    });
  });

  it('a model of another task, and one without a template', async () => {
    const picture = new PromptAPI({ task: 'image-classification' });
    expect([await picture.availability(), await picture.params()]).toEqual(['unavailable', null]);
    await expect(picture.create()).rejects.toEqual(named('NotSupportedError', /image-classification/));
    const missing = async () => {
      throw new TilewrightError('not-found', 'm has no chat template', { hint: 'generate() continues a text.' });
    };
    const bare = new PromptAPI({ ...answering(loud), applyChatTemplate: missing });
    expect(await bare.availability()).toBe('unavailable');
    await expect(bare.create()).rejects.toMatchObject({ name: 'NotSupportedError', cause: { code: 'not-found' } });
  });
});

describe('a model that is not loaded yet', () => {
  it('is loaded for the first session, once, and the share of it told', async () => {
    let loads = 0;
    let finish = () => {};
    const api = new PromptAPI(async ({ onProgress }) => {
      loads++;
      onProgress({ phase: 'upload', loaded: 1, total: 9 });
      for (const loaded of [2, 1, 4]) onProgress({ phase: 'fetch', loaded, total: 4 });
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      onProgress({ phase: 'upload', loaded: 8, total: 9 });
      return answering(loud);
    });
    expect([await api.availability(), await api.params()]).toEqual(['downloadable', null]);
    const told: number[] = [];
    const listen = (event: DownloadProgressEvent) => {
      expect([event.type, event.total]).toEqual(['downloadprogress', 1]);
      told.push(event.loaded);
    };
    const first = api.create({ monitor: (m) => m.addEventListener('downloadprogress', listen) });
    expect(await api.availability()).toBe('downloading');
    const late: number[] = [];
    const second = api.create({
      monitor: (m) => {
        m.ondownloadprogress = ({ loaded }) => void late.push(loaded);
      },
    });
    const abort = new AbortController();
    const third = api.create({ signal: abort.signal });
    abort.abort();
    await expect(third).rejects.toEqual(named('AbortError'));
    finish();
    expect(await (await first).prompt('a')).toBe('A');
    await second;
    expect([loads, await api.availability()]).toEqual([1, 'available']);
    expect(told).toEqual([0, 1 / 9, 0.5, 1]);
    expect([late[0], late.at(-1)]).toEqual([0, 1]);
    const monitor = () => {
      throw new Error('mine');
    };
    await expect(api.create({ monitor })).rejects.toThrow('mine');
  });

  it('that cannot be loaded is tried again', async () => {
    let loads = 0;
    const api = new PromptAPI(async () => {
      if (loads++) return answering(loud);
      throw new TilewrightError('network', 'cut');
    });
    await expect(api.create()).rejects.toMatchObject({ name: 'NetworkError', cause: { code: 'network' } });
    expect(await api.availability()).toBe('downloadable');
    expect(await (await api.create()).prompt('a')).toBe('A');
  });
});
