import { Turns } from '../gpu/turns.ts';
import type { ChatOptions, GeneratedToken, Generation } from '../models/text-options.ts';
import { flag, object, type Rules, signal } from '../options.ts';
import type { ChatMessage, ChatTemplateOptions } from '../text/chat.ts';
import type { TextConstraint } from '../text/constraint/index.ts';
import { type ToolCall, ToolCalls } from '../text/tool-calls.ts';
import { checked, domException, notSupported, quotaExceeded, standard, unlessAborted } from './errors.ts';
import { guided, type LanguageModelPrompt, type Messages, readMessages } from './messages.ts';
import type { Asked, LanguageModelSamplingMode } from './options.ts';

/** What of a `TextGenerator`, here or in a worker, a session talks to. */
export interface Prompted {
  readonly task: 'text-generation';
  readonly context: number;
  readonly shape: { readonly vocabulary: number };
  readonly generationConfig: { readonly temperature?: number; readonly topK?: number };
  /** Replies to a conversation, a token at a time. */
  chat(messages: readonly ChatMessage[], options?: ChatOptions): AsyncGenerator<GeneratedToken, Generation>;
  /** The token ids of the prompt for a conversation. */
  applyChatTemplate(
    messages: readonly ChatMessage[],
    options?: ChatTemplateOptions & { signal?: AbortSignal },
  ): Promise<readonly number[]>;
}

/** How a session is prompted. */
export interface LanguageModelPromptOptions {
  /** JSON Schema, or an expression, that the reply keeps to: the option `constraint` of `model.chat`. */
  readonly responseConstraint?: TextConstraint;
  /** Leaves the constraint out of what the model reads. Default: the user's last message ends with it. */
  readonly omitResponseConstraintInput?: boolean;
  readonly signal?: AbortSignal;
}

/** How messages are added, or a session is copied. */
export interface LanguageModelAppendOptions {
  readonly signal?: AbortSignal;
}

const PROMPT: Rules<LanguageModelPromptOptions> = {
  responseConstraint: object, // an expression is one
  omitResponseConstraintInput: flag,
  signal,
};
const SIGNAL: Rules<LanguageModelAppendOptions> = { signal };

/** No temperature is higher: beyond it texts are noise. */
export const MAX_TEMPERATURE = 2;

/** What the template writes before a reply is left out. */
const NO_REPLY: ChatTemplateOptions = { variables: { add_generation_prompt: false } };

/** What a session begins with: all that a copy takes over. */
interface State {
  /** Messages that never leave. */
  readonly initial: readonly ChatMessage[];
  /** Prompts with their replies, and what was appended, the oldest first. */
  readonly turns: readonly (readonly ChatMessage[])[];
  /** Tokens of both. */
  readonly usage: number;
}

/** A conversation with a model. Its prompts are answered one after the other. Events: `contextoverflow` where the oldest prompts and replies had to leave. */
export class LanguageModel extends EventTarget {
  readonly topK: number;
  readonly temperature: number;
  /** null where `topK` and `temperature` were given. */
  readonly samplingMode: LanguageModelSamplingMode | null;
  /** Is called when the oldest prompts had to leave. */
  oncontextoverflow: ((event: Event) => void) | null = null;
  /** The older name. */
  onquotaoverflow: ((event: Event) => void) | null = null;
  readonly #queue = new Turns();
  readonly #life = new AbortController();
  readonly #model: Prompted;
  readonly #asked: Asked;
  /** The options of `model.chat` that are the same for all prompts. */
  readonly #how: ChatOptions;
  #state: State;

  private constructor(model: Prompted, asked: Asked, state: State) {
    super();
    const { topK, temperature, samplingMode, tools } = asked;
    const { vocabulary } = model.shape;
    this.#model = model;
    this.#asked = asked;
    this.#state = state;
    this.samplingMode = samplingMode;
    const config = samplingMode === 'most-predictable' ? { topK: 1, temperature: 0 } : model.generationConfig;
    this.topK = Math.min(Math.trunc(topK ?? config.topK ?? vocabulary), vocabulary);
    this.temperature = Math.min(temperature ?? config.temperature ?? 1, MAX_TEMPERATURE);
    this.#how = {
      ...(samplingMode !== 'balanced' && { topK: this.topK, temperature: this.temperature }),
      ...(tools.length && { tools: functions(asked) }),
    };
    for (const name of ['contextoverflow', 'quotaoverflow'] as const)
      this.addEventListener(name, (event) => this[`on${name}`]?.(event));
  }

  /** @internal */
  static async open(model: Prompted, asked: Asked, { messages }: Messages): Promise<LanguageModel> {
    const session = new LanguageModel(model, asked, { initial: messages, turns: [], usage: 0 });
    const usage = await session.#usageOf(messages);
    if (usage > model.context)
      throw quotaExceeded('create: initialPrompts', { requested: usage, quota: model.context });
    session.#state = { ...session.#state, usage };
    return session;
  }

  /** Tokens of the conversation so far. */
  get contextUsage(): number {
    return this.#state.usage;
  }

  /** Tokens that conversation and reply may have. */
  get contextWindow(): number {
    return this.#model.context;
  }

  /** The older name of `contextUsage`. */
  get inputUsage(): number {
    return this.contextUsage;
  }

  /** The older name of `contextWindow`. */
  get inputQuota(): number {
    return this.contextWindow;
  }

  /**
   * The reply to an input. Errors: AbortError, or the signal's reason; InvalidStateError after `destroy`; QuotaExceededError for an input that
   * does not fit; NotSupportedError for what is not done here; SyntaxError for a reply that was cut off before it met its constraint;
   * TypeError.
   */
  async prompt(input: LanguageModelPrompt, options: LanguageModelPromptOptions = {}): Promise<string> {
    let reply = '';
    await this.#respond('prompt', input, options, (text) => {
      reply += text;
    });
    return reply;
  }

  /** The reply in pieces, as they come. Whoever cancels the stream ends the reply. Errors: those of `prompt`, as the stream's. */
  promptStreaming(input: LanguageModelPrompt, options: LanguageModelPromptOptions = {}): ReadableStream<string> {
    const left = new AbortController();
    return new ReadableStream<string>({
      start: (controller) => {
        const say = (text: string): void => controller.enqueue(text);
        // Pieces wait in the stream, not in the model: a stream that nobody reads holds up no other prompt.
        this.#respond('promptStreaming', input, options, say, left.signal).then(
          () => controller.close(),
          (error: unknown) => controller.error(error),
        );
      },
      cancel: (reason) => left.abort(reason),
    });
  }

  /** Adds messages without asking for a reply. Errors: those of `prompt`. */
  async append(input: LanguageModelPrompt, options: LanguageModelAppendOptions = {}): Promise<void> {
    const { signal: own } = checked('append', options, SIGNAL);
    await this.#take([own], async (ended) => {
      const { messages, prefix } = this.#read('append', input);
      if (prefix) throw notSupported('append: a prefix is gone on with by a prompt alone');
      await this.#makeRoom('append', messages, NO_REPLY);
      await this.#commit(messages, ended);
    });
  }

  /** Tokens that a prompt with this input would take beside those that are there, what stands before its reply included. Errors: those of `prompt`. */
  async measureContextUsage(input: LanguageModelPrompt, options: LanguageModelPromptOptions = {}): Promise<number> {
    const asked = readPrompt('measureContextUsage', options);
    return this.#live([asked.signal], async () => {
      const { messages, prefix } = this.#read('measureContextUsage', input, asked);
      const { initial, turns, usage } = this.#state;
      const all = [...initial, ...turns.flat(), ...messages];
      return Math.max(0, (await this.#count(all, { continueFinalMessage: prefix })) - usage);
    });
  }

  /** The older name of `measureContextUsage`. */
  measureInputUsage(input: LanguageModelPrompt, options: LanguageModelPromptOptions = {}): Promise<number> {
    return this.measureContextUsage(input, options);
  }

  /** A session of its own that goes on from here; a reply that is being written is not in it. Errors: AbortError, InvalidStateError. */
  async clone(options: LanguageModelAppendOptions = {}): Promise<LanguageModel> {
    const { signal: own } = checked('clone', options, SIGNAL);
    return this.#live([own], async () => new LanguageModel(this.#model, this.#asked, this.#state));
  }

  /** Ends the session and what is under way in it. The model stays loaded. */
  destroy(): void {
    this.#life.abort(domException('InvalidStateError', 'the session was destroyed'));
  }

  /** Destroys the session where a signal fires, with its reason. @internal */
  until(ends: AbortSignal): void {
    ends.addEventListener('abort', () => this.#life.abort(ends.reason), { once: true });
  }

  /** Does work that ends at its signals and with the session. Its errors are the standard's. */
  async #live<T>(given: readonly (AbortSignal | undefined)[], work: (ended: AbortSignal) => Promise<T>): Promise<T> {
    const ended = AbortSignal.any([this.#life.signal, ...given.filter((one) => one !== undefined)]);
    ended.throwIfAborted();
    try {
      return await unlessAborted(ended, work(ended));
    } catch (error) {
      throw ended.aborted ? ended.reason : standard(error, 'UnknownError');
    }
  }

  /** The same, in its turn. */
  #take<T>(given: readonly (AbortSignal | undefined)[], work: (ended: AbortSignal) => Promise<T>): Promise<T> {
    return this.#live(given, (ended) =>
      this.#queue.take(() => {
        ended.throwIfAborted();
        return work(ended);
      }),
    );
  }

  /** An input as it comes after what is there. */
  #read(call: string, input: LanguageModelPrompt, options: LanguageModelPromptOptions = {}): Messages {
    const { initial, turns } = this.#state;
    const read = readMessages(call, input, !initial.length && !turns.length);
    const { responseConstraint, omitResponseConstraintInput } = options;
    if (!responseConstraint || omitResponseConstraintInput) return read;
    return { ...read, messages: guided(read.messages, responseConstraint) };
  }

  /** Tokens of a prompt. */
  async #count(messages: readonly ChatMessage[], options: ChatTemplateOptions): Promise<number> {
    const { tools } = this.#how;
    return (await this.#model.applyChatTemplate(messages, { ...options, ...(tools && { tools }) })).length;
  }

  /** Tokens of a conversation. A template may want a question in it: then an empty one is counted too. */
  async #usageOf(messages: readonly ChatMessage[]): Promise<number> {
    if (!messages.length) return 0;
    return this.#count(messages, NO_REPLY).catch(() =>
      this.#count([...messages, { role: 'user', content: '' }], NO_REPLY),
    );
  }

  /** Takes as many of the oldest turns out as it needs for a turn to fit; none where all would not do. Error: QuotaExceededError. */
  async #makeRoom(call: string, turn: readonly ChatMessage[], options: ChatTemplateOptions): Promise<void> {
    const { initial, turns } = this.#state;
    for (let gone = 0; ; gone++) {
      const requested = await this.#count([...initial, ...turns.slice(gone).flat(), ...turn], options);
      if (requested <= this.contextWindow) {
        if (gone) await this.#forget(gone);
        return;
      }
      if (gone === turns.length) throw quotaExceeded(call, { requested, quota: this.contextWindow });
    }
  }

  async #forget(count: number): Promise<void> {
    const { initial, turns } = this.#state;
    const kept = turns.slice(count);
    this.#state = { initial, turns: kept, usage: await this.#usageOf([...initial, ...kept.flat()]) };
    for (const name of ['contextoverflow', 'quotaoverflow']) this.dispatchEvent(new Event(name));
  }

  /** The conversation goes on with a turn. A system's message, which comes first, stays for good. */
  async #commit(turn: readonly ChatMessage[], ended: AbortSignal): Promise<void> {
    const { initial, turns } = this.#state;
    const usage = await this.#usageOf([...initial, ...turns.flat(), ...turn]);
    ended.throwIfAborted(); // what ended before is no part of it
    const system = turn.filter(({ role }) => role === 'system');
    const rest = turn.slice(system.length);
    this.#state = { initial: [...initial, ...system], turns: rest.length ? [...turns, rest] : turns, usage };
  }

  async #respond(
    call: string,
    input: LanguageModelPrompt,
    options: LanguageModelPromptOptions,
    say: (text: string) => void,
    left?: AbortSignal,
  ): Promise<void> {
    const asked = readPrompt(call, options);
    const { tools } = this.#asked;
    const constraint = asked.responseConstraint;
    if (constraint && tools.length) throw notSupported(`${call}: responseConstraint in a session with tools`);
    await this.#take([asked.signal, left], async (ended) => {
      let { messages: turn, prefix: continueFinalMessage } = this.#read(call, input, asked);
      for (;;) {
        await this.#makeRoom(call, turn, { continueFinalMessage });
        const { initial, turns } = this.#state;
        const how = { ...this.#how, continueFinalMessage, signal: ended, ...(constraint && { constraint }) };
        const reply = await this.#reply([...initial, ...turns.flat(), ...turn], how, say);
        const before = continueFinalMessage ? turn.at(-1)!.content : '';
        const said = { role: 'assistant', content: `${before}${reply.text}` };
        turn = [...(continueFinalMessage ? turn.slice(0, -1) : turn), said];
        if (reply.calls.length) {
          turn = [
            ...turn.slice(0, -1),
            { ...said, tool_calls: reply.calls.map(asMessage) },
            ...(await this.#answers(reply.calls)),
          ];
          ended.throwIfAborted();
          continueFinalMessage = false;
          continue;
        }
        const cut = reply.reason === 'length';
        if (cut && constraint)
          throw domException('SyntaxError', `${call}: the reply was cut off before it met its constraint`);
        // A reply that fills the context goes on where older turns can leave. Tokens without a text would fill it for ever.
        const full = cut && reply.promptTokens + reply.tokens > this.contextWindow;
        if (!full || !reply.text || !this.#state.turns.length || tools.length) break;
        continueFinalMessage = true;
      }
      await this.#commit(turn, ended);
    });
  }

  /** One reply of the model: its text, the functions that it calls, and why it ended. */
  async #reply(
    messages: readonly ChatMessage[],
    how: ChatOptions,
    say: (text: string) => void,
  ): Promise<Generation & { text: string; calls: readonly ToolCall[] }> {
    const { tools } = this.#asked;
    const told = tools.length ? new ToolCalls(tools.map(({ name }) => name)) : undefined;
    let text = '';
    const pass = (piece: string): void => {
      how.signal?.throwIfAborted();
      if (piece) say(piece);
      text += piece;
    };
    const stream = this.#model.chat(messages, how);
    try {
      for (;;) {
        const { value, done } = await stream.next();
        if (!done) pass(told ? told.push(value.text) : value.text);
        else {
          const held = told?.end();
          pass(held?.text ?? '');
          return { ...value, text, calls: held?.calls ?? [] };
        }
      }
    } finally {
      await stream.return(undefined as never);
    }
  }

  /** What the functions gave, all called at once. */
  #answers(calls: readonly ToolCall[]): Promise<readonly ChatMessage[]> {
    const { tools } = this.#asked;
    return Promise.all(
      calls.map(async (call, i) => {
        const { execute } = tools.find(({ name }) => name === call.name)!;
        const content = String(await execute(JSON.parse(call.arguments)));
        return { role: 'tool', name: call.name, tool_call_id: idOf(i), content };
      }),
    );
  }
}

function readPrompt(call: string, options: LanguageModelPromptOptions): LanguageModelPromptOptions {
  const { responseConstraint, omitResponseConstraintInput } = checked(call, options, PROMPT);
  if (omitResponseConstraintInput && !responseConstraint)
    throw new TypeError(`${call}: omitResponseConstraintInput without a responseConstraint`);
  return options;
}

/** Tools as chat templates take them. */
export const functions = ({ tools }: Asked): readonly object[] =>
  tools.map(({ name, description, inputSchema: parameters }) => ({
    type: 'function',
    function: { name, description, parameters },
  }));

/** Nine letters and digits: Mistral's templates take no other. */
const idOf = (i: number): string => `call${String(i).padStart(5, '0')}`;

const asMessage = (call: ToolCall, i: number): object => ({
  id: idOf(i),
  type: 'function',
  function: { name: call.name, arguments: JSON.parse(call.arguments) },
});
