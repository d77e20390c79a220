import { TilewrightError } from '../errors.ts';
import type { GenerateOptions } from '../models/text-options.ts';
import {
  checkOptions,
  either,
  flag,
  integer,
  list,
  number,
  object,
  oneOf,
  type Rule,
  refuse,
  text,
  valuesOf,
} from '../options.ts';
import type { ChatMessage } from '../text/chat.ts';

/** The body of a request, as it came. */
export type Body = Readonly<Record<string, unknown>>;

/** One turn of a conversation, as chat templates take it. */
export type Turn = ChatMessage;

/** A function that the model may call, as clients describe it: its parameters are a JSON schema. */
export interface Tool {
  readonly type: 'function';
  readonly function: { readonly name: string; readonly description?: string; readonly parameters?: object };
}

/** What a request asks for, in the engine's words. */
export interface Asked {
  readonly options: GenerateOptions;
  readonly stream: boolean;
  /** Whether a stream ends with a chunk that counts tokens. */
  readonly usage: boolean;
}

/** What both ways to ask have. Left out: what says who asks, and what is asked of a service alone. */
const COMMON: Readonly<Record<string, Rule>> = {
  model: text,
  stream: flag,
  stream_options: object,
  max_tokens: integer(1),
  temperature: number(0),
  top_p: number(0, 1),
  top_k: integer(1),
  n: oneOf(1),
  stop: either(text, list(text)),
  seed: integer(0),
  presence_penalty: number(-2, 2),
  frequency_penalty: number(-2, 2),
  logit_bias: valuesOf(number(-100, 100)),
  user: text,
  metadata: object,
  store: flag,
  service_tier: text,
  safety_identifier: text,
  prompt_cache_key: text,
};

const CHAT: Readonly<Record<string, Rule>> = {
  ...COMMON,
  messages: list(object),
  max_completion_tokens: integer(1),
  tools: list(object),
  tool_choice: oneOf('auto', 'none'),
  parallel_tool_calls: flag,
  response_format: object,
  logprobs: flag,
  top_logprobs: integer(0, 20),
};

const TEXT: Readonly<Record<string, Rule>> = {
  ...COMMON,
  prompt: either(text, list(integer(0))),
  echo: oneOf(false),
  best_of: oneOf(1),
  suffix: oneOf(''),
};

/** Fields that are null are left out: clients send them so. */
const said = (body: Body): Body => Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));

function asked(call: string, given: Body, rules: Readonly<Record<string, Rule>>): { fields: Body; asked: Asked } {
  const fields = said(given);
  checkOptions(call, fields as Record<string, unknown>, rules);
  const { stream = false, stream_options = {} } = fields as { stream?: boolean; stream_options?: object };
  checkOptions(`${call}: stream_options`, stream_options, { include_usage: flag });
  const value = <T>(name: string): T | undefined => fields[name] as T | undefined;
  const stop = value<string | string[]>('stop');
  const options: GenerateOptions = {
    maxNewTokens: value<number>('max_completion_tokens') ?? value<number>('max_tokens'),
    temperature: value('temperature'),
    topP: value<number>('top_p') || undefined, // 0 is greedy, as clients mean it
    topK: value<number>('top_p') === 0 ? 1 : value('top_k'),
    seed: value('seed'),
    presencePenalty: value('presence_penalty'),
    frequencyPenalty: value('frequency_penalty'),
    sequenceBias: Object.entries(value<Record<string, number>>('logit_bias') ?? {}).map(([id, bias]) => [
      [Number(id)],
      bias,
    ]),
    stopStrings: stop === undefined ? undefined : [stop].flat(),
  };
  return {
    fields,
    asked: { options, stream, usage: (stream_options as { include_usage?: boolean }).include_usage === true },
  };
}

/** A chat. Errors: `invalid-argument`, which names what is not done here. */
export function readChat(body: Body): Asked & { messages: readonly Turn[]; tools: readonly Tool[] | undefined } {
  const { fields, asked: how } = asked('chat.completions', body, CHAT);
  const { messages, tools, tool_choice, response_format, logprobs, top_logprobs } = fields as {
    messages?: Body[];
    tools?: Tool[];
    tool_choice?: string;
    response_format?: Format;
    logprobs?: boolean;
    top_logprobs?: number;
  };
  if (!messages?.length) refuse('invalid-argument', 'chat.completions', 'messages', 'a list of one or more', messages);
  for (const [i, tool] of (tools ?? []).entries()) {
    if (tool.type !== 'function' || typeof tool.function?.name !== 'string')
      refuse('invalid-argument', 'chat.completions', `tools[${i}]`, 'a function with a name', tool);
  }
  const constraint = response_format && constraintOf(response_format);
  if (top_logprobs !== undefined && !logprobs)
    refuse('invalid-argument', 'chat.completions', 'top_logprobs', 'logprobs: true beside it', logprobs);
  const options = {
    ...how.options,
    ...(constraint && { constraint }),
    ...(logprobs && { logprobs: top_logprobs ?? 0 }),
  };
  return {
    ...how,
    options,
    messages: messages.map(turn),
    tools: tool_choice === 'none' || !tools?.length ? undefined : tools,
  };
}

/** How an answer is to be written, as clients say it. */
interface Format {
  readonly type?: unknown;
  readonly json_schema?: { readonly schema?: unknown };
}

function constraintOf({ type, json_schema }: Format): Readonly<Record<string, unknown>> | undefined {
  if (type === 'text') return undefined;
  if (type === 'json_object') return { type: 'object' };
  const at = 'response_format.json_schema.schema';
  if (type !== 'json_schema')
    refuse('invalid-argument', 'chat.completions', 'response_format.type', 'text, json_object or json_schema', type);
  const schema = json_schema?.schema;
  return object[1](schema)
    ? (schema as Record<string, unknown>)
    : refuse('invalid-argument', 'chat.completions', at, object[0], schema);
}

/** A text to go on with. Errors: `invalid-argument`, which names what is not done here. */
export function readText(body: Body): Asked & { prompt: string | readonly number[] } {
  const { fields, asked: how } = asked('completions', body, TEXT);
  return { ...how, prompt: (fields['prompt'] ?? '') as string | readonly number[] };
}

/** Parts of text are put together, and arguments of calls, which come as text, are read: templates take objects. */
function turn(message: Body, i: number): Turn {
  const { role, content, tool_calls: calls, ...rest } = said(message);
  const where = `messages[${i}]`;
  if (typeof role !== 'string') refuse('invalid-argument', where, 'role', 'a string', role);
  const words = content ?? '';
  const parts = typeof words === 'string' ? [words] : list(object)[1](words) ? (words as Body[]).map(part) : undefined;
  if (!parts) refuse('invalid-argument', where, 'content', 'a string or a list of parts', content);
  return { role, content: parts.join(''), ...rest, ...(calls !== undefined && { tool_calls: callsOf(calls, where) }) };

  function part({ type, text: own }: Body): string {
    if (type !== 'text' || typeof own !== 'string')
      refuse('invalid-argument', where, 'content', 'parts of the type "text"', type);
    return own;
  }
}

function callsOf(calls: unknown, where: string): readonly object[] {
  if (!list(object)[1](calls)) refuse('invalid-argument', where, 'tool_calls', 'a list of calls', calls);
  return (calls as { function?: { name?: unknown; arguments?: unknown } }[]).map((call) => {
    const given = call.function?.arguments ?? {};
    try {
      const read: unknown = typeof given === 'string' ? JSON.parse(given) : given;
      return { ...call, function: { ...call.function, arguments: read } };
    } catch (cause) {
      throw new TilewrightError('invalid-argument', `${where}: the arguments of a call are no JSON`, { cause });
    }
  });
}
