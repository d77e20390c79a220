import { readFileSync } from 'node:fs';
import { TilewrightError } from '../../src/errors.ts';
import type { ChatOptions, GeneratedToken, Generation } from '../../src/models/text-options.ts';
import type { Prompted } from '../../src/prompt/index.ts';
import { type ChatMessage, type ChatTemplateOptions, ChatTemplates } from '../../src/text/chat.ts';

const templateFile = (name: string): string =>
  readFileSync(new URL(`../fixtures/chat/${name}.jinja`, import.meta.url), 'utf8');

/** What was asked of a model. */
export interface Call {
  readonly messages: readonly ChatMessage[];
  readonly options: ChatOptions;
}

/** A model that answers by `reply`, a character a token, with the template of a fixture. It keeps to its context, and ends where the signal fires. */
export function answering(
  reply: (messages: readonly ChatMessage[]) => string,
  { context = 1000, template = 'chatml', generationConfig = {} as Prompted['generationConfig'] } = {},
): Prompted & { readonly calls: Call[] } {
  const source = templateFile(template);
  const templates = new ChatTemplates(
    'a model',
    { chat_template: source, bos_token: '<s>', eos_token: '</s>' },
    undefined,
  );
  const calls: Call[] = [];
  const applyChatTemplate = async (messages: readonly ChatMessage[], options: ChatTemplateOptions = {}) =>
    [...templates.render(messages, options)].map((character) => character.codePointAt(0)!);
  async function* chat(messages: readonly ChatMessage[], options: ChatOptions = {}) {
    calls.push({ messages, options });
    const { tools, continueFinalMessage, signal } = options;
    const promptTokens = (await applyChatTemplate(messages, { tools, continueFinalMessage })).length;
    if (promptTokens > context) throw new TilewrightError('context-exceeded', 'the fake model was given too much');
    const read = { promptTokens, cachedTokens: 0, runs: 0 };
    let tokens = 0;
    for (const text of reply(messages)) {
      if (promptTokens + tokens > context) return { ...read, reason: 'length', tokens } satisfies Generation;
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (signal?.aborted) throw new TilewrightError('aborted', 'generating was aborted');
      yield { token: tokens++, text } satisfies GeneratedToken;
    }
    return { ...read, reason: 'stop', tokens } satisfies Generation;
  }
  return {
    task: 'text-generation',
    context,
    shape: { vocabulary: 100 },
    generationConfig,
    chat,
    applyChatTemplate,
    calls,
  };
}
