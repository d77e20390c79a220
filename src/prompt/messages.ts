import { either, flag, list, object, oneOf, type Rules, text } from '../options.ts';
import type { ChatMessage } from '../text/chat.ts';
import type { TextConstraint } from '../text/constraint/index.ts';
import { checked, domException, notSupported } from './errors.ts';

/** Who speaks. */
export type LanguageModelMessageRole = 'system' | 'user' | 'assistant';

/** A part of a message. Of the standard's types text alone is taken. */
export interface LanguageModelMessageContent {
  readonly type: 'text';
  readonly value: string;
}

/** A message of a conversation. */
export interface LanguageModelMessage {
  readonly role: LanguageModelMessageRole;
  readonly content: string | readonly LanguageModelMessageContent[];
  /** Of the last message of a prompt, the assistant's: the reply goes on with it. */
  readonly prefix?: boolean;
}

/** What a session is prompted with: a text is the user's. */
export type LanguageModelPrompt = string | readonly LanguageModelMessage[];

const MESSAGE: Rules<LanguageModelMessage> = {
  role: oneOf('system', 'user', 'assistant'),
  content: either(text, list(object)),
  prefix: flag,
};
const CONTENT: Rules<LanguageModelMessageContent> = {
  type: oneOf('text', 'image', 'audio', 'tool-call', 'tool-response'),
  value: ['a value', (value) => value !== undefined],
};

/** Messages as chat templates take them. */
export interface Messages {
  readonly messages: readonly ChatMessage[];
  /** Whether the reply goes on with the last. */
  readonly prefix: boolean;
}

/**
 * Reads an input. `first`: nothing came before it, so that it may begin with the system's message. Errors: TypeError for what is no message and
 * for a system's elsewhere; SyntaxError for a prefix elsewhere than at the end; NotSupportedError for what is no text.
 */
export function readMessages(call: string, input: LanguageModelPrompt, first: boolean): Messages {
  if (typeof input === 'string') return { messages: [{ role: 'user', content: input }], prefix: false };
  if (!Array.isArray(input)) throw new TypeError(`${call}: the input is neither a string nor a list of messages`);
  const given = input as readonly LanguageModelMessage[];
  if (!given.length) return readMessages(call, '', first);
  const messages = given.map((message, i) => {
    const where = `${call}: message ${i}`;
    const { role, content, prefix } = checked(where, message, MESSAGE);
    if (role === undefined || content === undefined) throw new TypeError(`${where} has no role or no content`);
    if (prefix && (role !== 'assistant' || i < given.length - 1))
      throw domException('SyntaxError', `${where}: only a last message, the assistant's, may be a prefix`);
    if (role === 'system' && (i > 0 || !first)) throw new TypeError(`${where}: a system's message comes first`);
    return {
      role,
      content: typeof content === 'string' ? content : content.map((part) => words(where, part)).join(''),
    };
  });
  return { messages, prefix: given.at(-1)!.prefix === true };
}

function words(where: string, part: LanguageModelMessageContent): string {
  const { type, value } = checked(where, part, CONTENT);
  if (type === undefined) throw new TypeError(`${where}: a part has no type`);
  if (type !== 'text') throw notSupported(`${where}: content of the type "${type}" is not taken, only "text"`);
  if (typeof value !== 'string') throw new TypeError(`${where}: the value of a text is no string`);
  return value;
}

/** Messages whose last of the user says what form the reply has. */
export function guided(messages: readonly ChatMessage[], constraint: TextConstraint): readonly ChatMessage[] {
  const at = messages.findLastIndex(({ role }) => role === 'user');
  const form =
    Object.prototype.toString.call(constraint) === '[object RegExp]'
      ? `Answer with a text that this regular expression matches: ${constraint}`
      : `Answer with JSON that is valid by this JSON Schema: ${JSON.stringify(constraint)}`;
  return messages.map((message, i) => (i === at ? { ...message, content: `${message.content}\n\n${form}` } : message));
}
