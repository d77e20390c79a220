/**
 * Models of this device with the interface of the npm package `openai`: code that talks to a service talks to them, in a page or behind
 * `tilewright serve`. The shapes are those of OpenAI's reference of its API (Chat Completions, Completions, Embeddings, Audio, Models).
 *
 * @module tilewright/openai
 */
import { TilewrightError } from '../errors.ts';
import type { GeneratedToken, GenerateOptions, Generation } from '../models/text-options.ts';
import { checkArgument, object } from '../options.ts';
import type { Logprobs, TokenLogprob } from '../text/logprobs.ts';
import { type ToolCall, ToolCalls } from '../text/tool-calls.ts';
import { type CreateEmbeddingResponse, type Embedding, embeddings } from './embeddings.ts';
import { type Body, readChat, readText, type Tool, type Turn } from './request.ts';
import { type AudioTranscription, type Transcribing, transcriptions } from './transcriptions.ts';

export { TilewrightError } from '../errors.ts';
export type { ToolCall } from '../text/tool-calls.ts';
export type { CreateEmbeddingResponse, Embedding } from './embeddings.ts';
export type { Body, Tool, Turn } from './request.ts';
export type { AudioTranscription, Transcribing } from './transcriptions.ts';

/** What of a `TextGenerator` answers. */
export interface Answering {
  /** Answers a conversation, a token at a time. */
  chat(
    messages: readonly Turn[],
    options?: GenerateOptions & { tools?: readonly Tool[] },
  ): AsyncGenerator<GeneratedToken, Generation>;
  /** Goes on with a text, a token at a time. */
  generate(prompt: string | readonly number[], options?: GenerateOptions): AsyncGenerator<GeneratedToken, Generation>;
}

/** Tokens that were read and written. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
}

/** Why an answer ended: an end-of-text token or a stop string, the most tokens or the context, or calls of functions. */
export type FinishReason = 'stop' | 'length' | 'tool_calls';

/** A call as clients take it. */
export interface ChatToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: ToolCall;
}

/** What a model answered. */
export interface ChatMessage {
  readonly role: 'assistant';
  readonly content: string | null;
  readonly refusal: null;
  readonly tool_calls?: readonly ChatToolCall[];
}

/** A token, the bytes of its text in UTF-8, and the natural logarithm of its probability. */
export interface ChatTokenLogprob {
  readonly token: string;
  readonly bytes: readonly number[];
  readonly logprob: number;
}

/** How likely the tokens of an answer were, or those of a part of it, and the likeliest in the place of each. */
export interface ChatLogprobs {
  readonly content: readonly (ChatTokenLogprob & { readonly top_logprobs: readonly ChatTokenLogprob[] })[];
  readonly refusal: null;
}

/** What all answers begin with. */
export interface Head<What extends string> {
  readonly id: string;
  readonly object: What;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
}

/** A whole answer to a chat. */
export interface ChatCompletion extends Head<'chat.completion'> {
  readonly choices: readonly [
    {
      readonly index: 0;
      readonly message: ChatMessage;
      readonly logprobs: ChatLogprobs | null;
      readonly finish_reason: FinishReason;
    },
  ];
  readonly usage: Usage;
}

/** What a chunk adds to the message. */
export interface Delta {
  readonly role?: 'assistant';
  readonly content?: string;
  readonly tool_calls?: readonly (ChatToolCall & { readonly index: number })[];
}

/** A part of an answer to a chat. */
export interface ChatCompletionChunk extends Head<'chat.completion.chunk'> {
  /** Empty in the chunk that has the usage. */
  readonly choices: readonly {
    readonly index: 0;
    readonly delta: Delta;
    readonly logprobs: ChatLogprobs | null;
    readonly finish_reason: FinishReason | null;
  }[];
  readonly usage?: Usage | null;
}

/** What comes after a text, or a part of it. */
export interface Completion extends Head<'text_completion'> {
  readonly choices: readonly {
    readonly index: 0;
    readonly text: string;
    readonly logprobs: null;
    readonly finish_reason: FinishReason | null;
  }[];
  readonly usage?: Usage;
}

/** How a request is made. */
export interface RequestOptions {
  /** Ends the answer with `aborted`. */
  signal?: AbortSignal;
}

/** What lists models, by the names that requests call them by. */
export const modelList = (...names: readonly string[]) => ({
  object: 'list' as const,
  data: names.map((id) => ({ id, object: 'model' as const, created: 0, owned_by: 'tilewright' })),
});

/** What a request gives: an answer, or its parts as they come where it says `stream: true`. */
export type Answer<B extends Body, Whole, Part> = B extends { readonly stream: true }
  ? AsyncGenerator<Part, void>
  : Whole;

/** What requests may ask. */
export type Served = Answering | Embedding | Transcribing;

/** One model or several, by the names that requests call them by. */
export class OpenAI {
  readonly #models: ReadonlyMap<string, Served>;
  readonly chat = {
    completions: {
      /**
       * Answers a chat. Errors: `not-found` for a model of another name; `invalid-argument` for what is not done here, by its name;
       * `context-exceeded`; those of `TextGenerator.chat`.
       */
      create: <const B extends Body>(body: B, options: RequestOptions = {}) =>
        this.#create(chatParts, body, options) as Promise<Answer<B, ChatCompletion, ChatCompletionChunk>>,
    },
  };
  readonly completions = {
    /** Goes on with a text. Errors: as of a chat. */
    create: <const B extends Body>(body: B, options: RequestOptions = {}) =>
      this.#create(textParts, body, options) as Promise<Answer<B, Completion, Completion>>,
  };
  readonly embeddings = {
    /** Gives texts vectors. Errors: `not-found` for a model of another name; `invalid-argument`; those of `Embedder.embed`. */
    create: async (body: Body, { signal }: RequestOptions = {}): Promise<CreateEmbeddingResponse> => {
      const [name, model] = this.#named(body);
      if (!('embed' in model)) throw unfit(name, 'gives no vectors of texts');
      return embeddings(model, name, body, signal);
    },
  };
  readonly audio = {
    transcriptions: {
      /**
       * Writes what a WAV file says. Errors: `not-found` for a model of another name; `invalid-argument`; `invalid-file`; those of
       * `Transcriber.transcribe`.
       */
      create: (body: Body, options?: RequestOptions) => this.#heard('transcribe', body, options),
    },
    translations: {
      /** Writes in English what a WAV file says. Errors: as of a transcription. */
      create: (body: Body, options?: RequestOptions) => this.#heard('translate', body, options),
    },
  };
  readonly models = {
    /** The models that requests may name. */
    list: async () => modelList(...this.#models.keys()),
  };

  constructor(models: Readonly<Record<string, Served>>) {
    this.#models = new Map(Object.entries(models));
  }

  /** The model that a request names. */
  #named(body: Body): [name: string, model: Served] {
    checkArgument('create', 'the body', body, object);
    const name = body['model'];
    const model = typeof name === 'string' ? this.#models.get(name) : undefined;
    if (!model)
      throw new TilewrightError('not-found', `there is no model ${JSON.stringify(name)}`, {
        hint: `There ${this.#models.size === 1 ? 'is' : 'are'} ${[...this.#models.keys()].join(', ')}.`,
      });
    return [name as string, model];
  }

  async #heard(
    task: 'transcribe' | 'translate',
    body: Body,
    { signal }: RequestOptions = {},
  ): Promise<AudioTranscription | string> {
    const [name, model] = this.#named(body);
    if (!('transcribe' in model)) throw unfit(name, 'hears no audio');
    return transcriptions(model, body, task, signal);
  }

  /** Parts are asked for once before they are given away: what cannot be answered is an error of the call. */
  async #create<Part>(parts: Parts<Part>, body: Body, { signal }: RequestOptions): Promise<unknown> {
    const [name, model] = this.#named(body);
    if (!('generate' in model)) throw unfit(name, 'writes no text');
    const answer = parts(model, name, body, signal);
    if (body['stream'] === true) return begun(answer, (part) => part);
    for (;;) {
      const { value, done } = await answer.next();
      if (done) return value;
    }
  }
}

const unfit = (name: string, why: string): TilewrightError =>
  new TilewrightError('invalid-argument', `the model ${JSON.stringify(name)} ${why}`);

/** An answer in parts; it returns the whole. */
type Parts<Part> = (
  model: Answering,
  name: string,
  body: Body,
  signal: AbortSignal | undefined,
) => AsyncGenerator<Part, unknown>;

/**
 * What `part` makes of each value of a generator, after `first`; nothing where that is undefined. The first value, or error, is there
 * already, and who leaves ends the generator too.
 */
async function begun<T, Part, Whole>(
  given: AsyncGenerator<T, Whole>,
  part: (value: T) => Part | undefined,
  ...first: readonly Part[]
): Promise<AsyncGenerator<Part, Whole>> {
  let next = await given.next();
  return (async function* () {
    try {
      yield* first;
      for (; !next.done; next = await given.next()) {
        const made = part(next.value);
        if (made !== undefined) yield made;
      }
      return next.value;
    } finally {
      if (!next.done) await given.return(undefined as never);
    }
  })();
}

const headOf = <What extends string>(object: What, prefix: string, model: string): Head<What> => ({
  id: identifier(prefix),
  object,
  created: Math.floor(Date.now() / 1000),
  model,
});

const identifier = (prefix: string): string => `${prefix}-${crypto.randomUUID().replaceAll('-', '')}`;

const usageOf = ({ promptTokens, cachedTokens, tokens }: Generation): Usage => ({
  prompt_tokens: promptTokens,
  completion_tokens: tokens,
  total_tokens: promptTokens + tokens,
  prompt_tokens_details: { cached_tokens: cachedTokens },
});

const likelihood = ({ text, logprob }: TokenLogprob): ChatTokenLogprob => ({
  token: text,
  bytes: [...new TextEncoder().encode(text)],
  logprob,
});

/** Of tokens since the last part; null where none was asked for. */
const likelihoods = (of: readonly Logprobs[]): ChatLogprobs | null =>
  of.length
    ? {
        content: of.map(({ drawn, top }) => ({ ...likelihood(drawn), top_logprobs: top.map(likelihood) })),
        refusal: null,
      }
    : null;

async function* chatParts(
  model: Answering,
  name: string,
  body: Body,
  signal: AbortSignal | undefined,
): AsyncGenerator<ChatCompletionChunk, ChatCompletion> {
  const { messages, tools, options, usage } = readChat(body);
  const calling = new ToolCalls((tools ?? []).map((tool) => tool.function.name));
  const head = headOf('chat.completion.chunk', 'chatcmpl', name);
  /** Of all tokens, and how many of them parts have told of. */
  const likely: Logprobs[] = [];
  let told = 0;
  const part = (delta: Delta, finish_reason: FinishReason | null = null): ChatCompletionChunk => {
    const logprobs = likelihoods(likely.slice(told));
    told = likely.length;
    return { ...head, choices: [{ index: 0, delta, logprobs, finish_reason }], ...(usage && { usage: null }) };
  };
  let content = '';
  const said = (text: string): ChatCompletionChunk | undefined => {
    content += text;
    return text ? part({ content: text }) : undefined;
  };
  const tokens = model.chat(messages, { ...options, ...(tools && { tools }), ...(signal && { signal }) });
  const pieces = await begun(
    tokens,
    ({ text, logprobs }) => {
      if (logprobs) likely.push(logprobs);
      return said(tools ? calling.push(text) : text);
    },
    part({ role: 'assistant', content: '' }),
  );
  const generation = yield* pieces;
  const { text, calls } = calling.end();
  const rest = said(text);
  if (rest) yield rest;
  const written = calls.map((call): ChatToolCall => ({ id: identifier('call'), type: 'function', function: call }));
  if (written.length) yield part({ tool_calls: written.map((call, index) => ({ index, ...call })) });
  const reason = written.length ? 'tool_calls' : generation.reason;
  yield part({}, reason);
  const counted = usageOf(generation);
  if (usage) yield { ...head, choices: [], usage: counted };
  const message: ChatMessage = {
    role: 'assistant',
    content: written.length && !content.trim() ? null : content,
    refusal: null,
    ...(written.length && { tool_calls: written }),
  };
  return {
    ...head,
    object: 'chat.completion',
    choices: [{ index: 0, message, logprobs: likelihoods(likely), finish_reason: reason }],
    usage: counted,
  };
}

async function* textParts(
  model: Answering,
  name: string,
  body: Body,
  signal: AbortSignal | undefined,
): AsyncGenerator<Completion, Completion> {
  const { prompt, options, usage } = readText(body);
  const head = headOf('text_completion', 'cmpl', name);
  const part = (text: string, finish_reason: FinishReason | null = null): Completion => ({
    ...head,
    choices: [{ index: 0, text, logprobs: null, finish_reason }],
  });
  let all = '';
  const tokens = model.generate(prompt, { ...options, ...(signal && { signal }) });
  const generation = yield* await begun(tokens, ({ text }) => {
    all += text;
    return text ? part(text) : undefined;
  });
  const { reason } = generation;
  yield part('', reason);
  const counted = usageOf(generation);
  if (usage) yield { ...head, choices: [], usage: counted };
  return { ...part(all, reason), usage: counted };
}
