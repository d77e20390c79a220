import { createInterface, type Interface } from 'node:readline';
import { TilewrightError, throwIfAborted } from '../../errors.ts';
import type { ChatMessage } from '../../text/chat.ts';
import { resolveModel } from '../files.ts';
import type { ChatArgs } from '../jobs/chat.ts';
import type { Generated } from '../jobs/generate.ts';
import type { Terminal } from '../terminal.ts';
import { type CommandContext, follow, loadArgs, type ModelOptions, withRuntime } from './context.ts';
import { speed } from './run.ts';

export interface ChatCommandOptions extends ModelOptions {
  /** The system's message. */
  readonly system?: string;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed?: number;
  readonly maxNewTokens?: number;
}

/** What a conversation goes over: replies of a model, wherever it is. */
export interface Talk {
  /** Tokens that conversation and reply may have. */
  readonly context: number;
  /** `number` counts the replies from 0: each draws other tokens. */
  reply(
    messages: readonly ChatMessage[],
    how: { number: number; signal: AbortSignal; onText: (text: string) => void },
  ): Promise<Generated>;
}

/** Where lines come from. */
type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

const HELP = '/regenerate writes the last reply again, /reset begins anew, /exit ends; Ctrl-C stops a reply';

/** Talks to a model, a line a turn, until the lines end. */
export async function chat(
  model: string,
  { system, temperature, topK, topP, seed, maxNewTokens, ...options }: ChatCommandOptions,
  context: CommandContext,
  input: Input = process.stdin,
): Promise<void> {
  const source = await resolveModel(model);
  const initial: ChatMessage[] = system === undefined ? [] : [{ role: 'system', content: system }];
  await withRuntime(context, async (runtime) => {
    const args = { model: await runtime.model(source), load: loadArgs(options) };
    const { terminal, signal } = context;
    const question = { role: 'user', content: 'Hi' }; // no template is without one
    const messages = [...initial, question];
    const tokens = await runtime.run('chatReady', { ...args, messages }, { signal, onEvent: follow(context, runtime) });
    terminal.bars.clear();
    const talk: Talk = {
      context: tokens,
      reply: (said, { number, signal: ends, onText }) => {
        const drawn: ChatArgs['options'] = {
          temperature,
          topK,
          topP,
          maxNewTokens,
          ...(seed !== undefined && { seed: seed + number }),
        };
        return runtime.run(
          'chat',
          { ...args, messages: said, options: drawn },
          { signal: ends, onEvent: (event) => event.type === 'token' && onText(event.text) },
        );
      },
    };
    await converse(talk, initial, input, context);
  });
}

/** Reads lines, and writes replies to them. The conversation is the result. Errors: those of a reply; `aborted`. */
export async function converse(
  talk: Talk,
  initial: readonly ChatMessage[],
  input: Input,
  { terminal, signal }: Pick<CommandContext, 'terminal' | 'signal'>,
): Promise<void> {
  const interactive = input.isTTY === true;
  const note = (line: string): void => terminal.note(terminal.paintNote('dim', line));
  const lines = createInterface({
    input,
    ...(interactive && { output: process.stderr, terminal: true, prompt: '> ' }),
  });
  const close = (): void => lines.close();
  signal.addEventListener('abort', close, { once: true });
  const conversation = new Conversation(talk, initial, terminal, signal);
  // A terminal that is read from tells of Ctrl-C here, and sends no signal.
  lines.on('SIGINT', () => conversation.stop() || close());
  try {
    if (interactive) note(HELP);
    for await (const line of prompted(lines, interactive)) {
      const [command] = /^\/\S*/.exec(line) ?? [];
      if (command === '/exit') break;
      try {
        if (command === '/reset') conversation.reset();
        else if (command === '/regenerate') await conversation.regenerate();
        else if (command) note(`there is no command ${command}. ${HELP}`);
        else if (line.trim()) await conversation.say(line);
      } catch (error) {
        // Someone who reads it can leave out some of the conversation.
        if (!interactive || !(error instanceof TilewrightError) || error.code !== 'context-exceeded') throw error;
        note(`${error.message}: /reset begins anew`);
      }
    }
    throwIfAborted(signal, 'the conversation');
    terminal.result({ messages: conversation.messages, replies: conversation.replies });
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
}

/** Lines, each asked for where someone types. */
async function* prompted(lines: Interface, interactive: boolean): AsyncGenerator<string> {
  if (interactive) lines.prompt();
  for await (const line of lines) {
    yield line;
    if (interactive) lines.prompt();
  }
}

class Conversation {
  readonly replies: Generated[] = [];
  #messages: ChatMessage[];
  #stop: AbortController | undefined;
  #count = 0;

  constructor(
    private readonly talk: Talk,
    private readonly initial: readonly ChatMessage[],
    private readonly terminal: Terminal,
    private readonly signal: AbortSignal,
  ) {
    this.#messages = [...initial];
  }

  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  /** Stops the reply that is being written; false where there is none. */
  stop(): boolean {
    this.#stop?.abort();
    return this.#stop !== undefined;
  }

  reset(): void {
    this.#messages = [...this.initial];
  }

  say(content: string): Promise<void> {
    return this.#answer([...this.#messages, { role: 'user', content }]);
  }

  async regenerate(): Promise<void> {
    if (this.#messages.at(-1)?.role === 'assistant') await this.#answer(this.#messages.slice(0, -1));
    else this.#note('there is no reply to write again');
  }

  #note(line: string): void {
    this.terminal.note(this.terminal.paintNote('dim', line));
  }

  /** Writes a reply to these messages. What there is of one that was stopped stays; of none, nothing was said. */
  async #answer(asked: readonly ChatMessage[]): Promise<void> {
    const { terminal, talk } = this;
    const stop = new AbortController();
    this.#stop = stop;
    let content = '';
    const onText = (text: string): void => {
      content += text;
      terminal.write(text);
    };
    try {
      const signal = AbortSignal.any([this.signal, stop.signal]);
      const reply = await talk.reply(asked, { number: this.#count++, signal, onText }).finally(() => {
        if (content) terminal.print(); // a note or an error begins a line of its own
      });
      this.replies.push(reply);
      const left = Math.max(0, talk.context - reply.promptTokens - reply.tokens.length);
      this.#note(`${speed(reply)}; ${left} of ${talk.context} tokens of the context are left`);
    } catch (error) {
      if (this.signal.aborted || !stop.signal.aborted) throw error;
      this.#note('stopped');
      if (!content) return;
    } finally {
      this.#stop = undefined;
    }
    this.#messages = [...asked, { role: 'assistant', content }];
  }
}
