import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { type ChatMessage, ChatTemplates } from '../../src/text/chat.ts';

const read = (file: string): string => readFileSync(new URL(`../fixtures/chat/${file}`, import.meta.url), 'utf8');

/** Of tools/make_chat_fixtures.py. */
interface Case {
  readonly template: string;
  readonly what: string;
  readonly special: Readonly<Record<string, string>>;
  readonly messages: readonly ChatMessage[];
  readonly variables: Readonly<Record<string, unknown>>;
  readonly tools?: readonly object[];
  readonly expected?: string;
  readonly error?: string;
}

const CASES: readonly Case[] = JSON.parse(read('cases.json'));
const HI = [{ role: 'user', content: 'Hi' }];

describe('chat templates', () => {
  it.each(CASES.map((one) => [one.template, one.what, one] as const))('%s: %s, as transformers', (family, _, one) => {
    const { special, messages, variables, tools, expected, error } = one;
    const templates = new ChatTemplates('a model', special, read(`${family}.jinja`));
    const render = () => templates.render(messages, { variables, ...(tools && { tools }) });
    if (expected !== undefined) return expect(render()).toBe(expected);
    const refusal = {
      code: 'invalid-argument',
      message: expect.stringContaining("a model: the chat template 'default'"),
    };
    expect(render).toThrow(expect.objectContaining(refusal));
    // What the template itself raises is in the message.
    if (read(`${family}.jinja`).includes(error!)) expect(render).toThrow(error);
  });

  it('are a text, a list by name, or a file, which goes first', () => {
    const named = [
      { name: 'default', template: 'a{{ messages[0].content }}' },
      { name: 'tool_use', template: 'b{{ tools | length }}' },
      { name: 'rag', template: 'c{{ documents }}{{ bos_token }}{{ image }}' },
    ];
    const config = { bos_token: { content: '<s>' }, extra_special_tokens: { image: '<image>' }, chat_template: named };
    const templates = new ChatTemplates('m', config, undefined);
    expect(templates.render(HI)).toBe('aHi');
    expect(templates.render(HI, { tools: [{}] })).toBe('b1');
    expect(templates.render(HI, { template: 'rag', variables: { documents: 7 } })).toBe('c7<s><image>');
    expect(new ChatTemplates('m', { chat_template: 'x' }, undefined).render(HI)).toBe('x');
    const both = new ChatTemplates('m', config, 'file');
    expect([both.render(HI), both.render(HI, { tools: [{}] })]).toEqual(['file', 'b1']);
  });

  it('refuse tools that they put nowhere, in whatever words', () => {
    const templates = new ChatTemplates('m', { chat_template: '{# tools #}{{ messages[0].content }}' }, undefined);
    const refusal = { code: 'invalid-argument', message: "m: the chat template 'default' takes no tools" };
    expect(() => templates.render(HI, { tools: [{ name: 'f' }] })).toThrow(expect.objectContaining(refusal));
    expect(templates.render(HI, { tools: [] })).toBe('Hi');
  });

  it.each<[string, object, string, object?]>([
    ['no template', { chat_template: null }, 'not-found'],
    ['no template', {}, 'not-found'],
    ['a template that is none', { chat_template: 7 }, 'invalid-file'],
    ['a template without a name', { chat_template: [{ template: 'x' }] }, 'invalid-file'],
    ['a template that cannot be parsed', { chat_template: '{% for x %}' }, 'invalid-file'],
    ['a name that is not there', { chat_template: 'x' }, 'invalid-argument', { template: 'y' }],
    ['a default that is not there', { chat_template: [{ name: 'y', template: 'x' }] }, 'invalid-argument'],
    ['a filter that is not known', { chat_template: '{{ messages | telepathy }}' }, 'invalid-argument'],
    ['a range without end', { chat_template: '{% for i in range(1000000000) %}x{% endfor %}' }, 'invalid-argument'],
  ])('%s is refused', (_, config, code, options) => {
    const start = performance.now();
    const render = () => new ChatTemplates('m', config as Record<string, unknown>, undefined).render(HI, options);
    expect(render).toThrow(expect.objectContaining({ code, message: expect.stringContaining('') }));
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it.each([
    ['chatml', '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nOne, \n'],
    ['gemma', '<s><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nOne, \n'],
    ['phi3', '<|user|>\nHi<|end|>\n<|assistant|>\nOne, \n'],
  ])('%s: a reply goes on with the last message, white space at its end included', (family, expected) => {
    const special = { bos_token: '<s>', eos_token: '</s>' };
    const templates = new ChatTemplates('m', special, read(`${family}.jinja`));
    const messages = [...HI, { role: 'assistant', content: 'One, \n' }];
    expect(templates.render(messages, { continueFinalMessage: true })).toBe(expected);
  });

  it('a message that is left out, or is no text, is not gone on with', () => {
    const short = new ChatTemplates('m', { chat_template: '{{ messages[0].content }}' }, undefined);
    const refused = (content: unknown) => () =>
      short.render([...HI, { role: 'assistant', content }], { continueFinalMessage: true });
    expect(refused('a')).toThrow(
      expect.objectContaining({
        code: 'invalid-argument',
        message: expect.stringContaining('leaves the last message out'),
      }),
    );
    expect(refused([])).toThrow(
      expect.objectContaining({ code: 'invalid-argument', message: expect.stringContaining('content') }),
    );
    const tools = [{ name: 'f' }];
    expect(() => short.render(HI, { continueFinalMessage: true, tools })).toThrow(/takes no tools/);
  });

  it('write dates as Python does', () => {
    const format = '%A %a %d %-d %B %b %m %-m %Y %y %H %I %p %M %S %%';
    vi.useFakeTimers({ now: new Date(2026, 4, 3, 15, 7, 9) });
    try {
      const template = `{{ strftime_now("${format}") }}`;
      const text = new ChatTemplates('m', { chat_template: template }, undefined).render(HI);
      expect(text).toBe('Sunday Sun 03 3 May May 05 5 2026 26 15 03 PM 07 09 %');
    } finally {
      vi.useRealTimers();
    }
  });

  it('take messages only', () => {
    const templates = new ChatTemplates('m', { chat_template: 'x' }, undefined);
    for (const messages of ['Hi', [], [null], [{ content: 'Hi' }], [{ role: 7 }]] as unknown as ChatMessage[][])
      expect(() => templates.render(messages)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });

  it('range is Python’s', () => {
    const text =
      '{{ range(4) | join(",") }} {{ range(2, 5) | join(",") }} {{ range(9, 0, -4) | join(",") }} {{ range(3, 1) | length }}';
    expect(new ChatTemplates('m', { chat_template: text }, undefined).render(HI)).toBe('0,1,2,3 2,3,4 9,5,1 0');
  });
});
