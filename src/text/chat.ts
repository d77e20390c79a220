import { Environment, Interpreter, Template } from '@huggingface/jinja';
import { TilewrightError } from '../errors.ts';
import { checkArgument, flag, list, object, type Rule, type Rules, refuse, text } from '../options.ts';
import type { Fields } from './tokenizer-parts.ts';

/** One turn of a conversation, as its template has it: other fields (`tool_calls`, `name`) are the template's. */
export interface ChatMessage {
  /** `system`, `user`, `assistant`, `tool`. */
  readonly role: string;
  /** A text, or the parts that a template takes. */
  readonly content?: unknown;
  readonly [field: string]: unknown;
}

/** What a template writes beside the messages. */
export interface ChatTemplateOptions {
  /** JSON schemas of functions that the model may ask for. Error where the template puts them nowhere. */
  tools?: readonly object[];
  /** Which of a folder's templates. Default: `tool_use` for tools where there is one, else `default`. */
  template?: string;
  /** Further variables of the template: `{ enable_thinking: false }`. */
  variables?: Readonly<Record<string, unknown>>;
  /** The reply goes on with the last message, whose content is a text, instead of answering it. Error where the template does not write that message. */
  continueFinalMessage?: boolean;
}

export const CHAT_RULES: Rules<ChatTemplateOptions> = {
  tools: list(object),
  template: text,
  variables: object,
  continueFinalMessage: flag,
};

/** Stands at the end of a message that is gone on with: private characters, which no text has. */
const END = '\u{10fffd}\u{10fffc}';

const MESSAGES: Rule = [
  'a list of one or more, each an object with a role',
  (value) => Array.isArray(value) && value.length > 0 && value.every((one) => text[1](one?.role)),
];

/** As many as Python's sandbox for templates gives. */
const MOST_NUMBERS = 100_000;

/** Python's `range`, with an end. */
function range(...given: number[]): number[] {
  const [start, stop, step = 1] = given.length === 1 ? [0, given[0]!] : (given as [number, number, number?]);
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!(count <= MOST_NUMBERS)) throw new Error(`range has more than ${MOST_NUMBERS} numbers`);
  return Array.from({ length: count }, (_, i) => start + i * step);
}

const words = (options: Intl.DateTimeFormatOptions, date: Date): string => date.toLocaleString('en-US', options);
const digits = (value: number): string => String(value).padStart(2, '0');

/** What Python's `strftime` writes for a letter after `%`. */
const DATES: Readonly<Record<string, (date: Date) => string>> = {
  a: (date) => words({ weekday: 'short' }, date),
  A: (date) => words({ weekday: 'long' }, date),
  b: (date) => words({ month: 'short' }, date),
  B: (date) => words({ month: 'long' }, date),
  d: (date) => digits(date.getDate()),
  H: (date) => digits(date.getHours()),
  I: (date) => digits(date.getHours() % 12 || 12),
  m: (date) => digits(date.getMonth() + 1),
  M: (date) => digits(date.getMinutes()),
  p: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  S: (date) => digits(date.getSeconds()),
  y: (date) => digits(date.getFullYear() % 100),
  Y: (date) => String(date.getFullYear()),
  '%': () => '%',
};

function strftime_now(format: string): string {
  const now = new Date();
  return format.replace(/%(-?)(.?)/g, (all, bare, letter) => {
    if (!Object.hasOwn(DATES, letter)) throw new Error(`strftime_now: ${all} is not known`);
    const written = DATES[letter]!(now);
    return bare ? written.replace(/^0(?=\d)/, '') : written;
  });
}

/** What every template has: transformers' functions, and the constants as Python and as Jinja write them. */
const GLOBALS: Fields = {
  ...{ true: true, false: false, none: null, True: true, False: false, None: null },
  ...{ range, strftime_now, documents: null, add_generation_prompt: true },
};

/** The chat templates of a model's folder: Jinja, by their names. */
export class ChatTemplates {
  readonly #sources: ReadonlyMap<string, string>;
  readonly #parsed = new Map<string, Template>();
  /** `bos_token` and its like, as templates name them. */
  readonly #special: Fields;

  /**
   * `config` is tokenizer_config.json: its `chat_template` is a template, or a list of named ones. `file` is chat_template.jinja, which
   * goes before them. Errors: `invalid-file`; `not-found` where there is no template.
   */
  constructor(
    private readonly name: string,
    config: Fields,
    file: string | undefined,
  ) {
    const { chat_template: said, extra_special_tokens: extra } = config;
    const named = (Array.isArray(said) ? said : said ? [{ name: 'default', template: said }] : []) as Fields[];
    if (file !== undefined) named.push({ name: 'default', template: file });
    if (!named.length)
      throw new TilewrightError('not-found', `${name} has no chat template`, {
        hint: 'It is no model for conversations, or its tokenizer_config.json or chat_template.jinja is missing: generate() continues a text.',
      });
    this.#sources = new Map(
      named.map((one) =>
        text[1](one?.['name']) && text[1](one['template'])
          ? [one['name'] as string, one['template'] as string]
          : refuse('invalid-file', `${name}: tokenizer_config.json`, 'chat_template', 'texts by name', one),
      ),
    );
    const tokens = {
      ...(object[1](extra) ? (extra as Fields) : {}),
      ...Object.fromEntries(
        Object.entries(config).filter(([field]) => /^(bos|eos|unk|sep|pad|cls|mask)_token$/.test(field)),
      ),
    };
    this.#special = Object.fromEntries(
      Object.entries(tokens)
        .map(([field, token]) => [field, (token as Fields | null)?.['content'] ?? token])
        .filter(([, content]) => typeof content === 'string'),
    );
  }

  /** The prompt for the reply to these messages. Errors: `invalid-argument`, `invalid-file`. */
  render(messages: readonly ChatMessage[], options: ChatTemplateOptions = {}): string {
    const { tools, template, variables, continueFinalMessage } = options;
    checkArgument('chat', 'messages', messages, MESSAGES);
    const name = template ?? (tools && this.#sources.has('tool_use') ? 'tool_use' : 'default');
    if (continueFinalMessage) return this.#open(name, messages, options);
    const write = (given: readonly object[] | null): string =>
      this.#write(name, { ...variables, messages, tools: given });
    const prompt = write(tools ?? null);
    const without = (): string | undefined => {
      try {
        return write(null);
      } catch {
        return undefined; // a template that cannot do without them
      }
    };
    if (tools?.length && prompt === without()) {
      const message = `${this.name}: the chat template '${name}' takes no tools`;
      throw new TilewrightError('invalid-argument', message, {
        hint: `Leave tools out, or describe them in a message. There ${this.#sources.size > 1 ? 'are' : 'is'} ${this.#names()}.`,
      });
    }
    return prompt;
  }

  /** The prompt up to the end of the last message's content. A template that trims it has the mark at its end to trim. */
  #open(name: string, messages: readonly ChatMessage[], options: ChatTemplateOptions): string {
    const { content, ...rest } = messages.at(-1)!;
    checkArgument('chat', 'the content of the last message', content, text);
    const { continueFinalMessage: _, ...how } = options;
    const prompt = this.render([...messages.slice(0, -1), { ...rest, content: `${content}${END}` }], {
      ...how,
      template: name,
      variables: { ...options.variables, add_generation_prompt: false },
    });
    const end = prompt.lastIndexOf(END);
    if (end >= 0) return prompt.slice(0, end);
    throw new TilewrightError(
      'invalid-argument',
      `${this.name}: the chat template '${name}' leaves the last message out`,
      {
        hint: 'Leave continueFinalMessage out: the reply is a message of its own then.',
      },
    );
  }

  #names(): string {
    return [...this.#sources.keys()].map((name) => `'${name}'`).join(', ');
  }

  #write(name: string, variables: Fields): string {
    const raised: { message?: string } = {};
    const raise_exception = (message: string): never => {
      raised.message = message;
      throw new Error(message);
    };
    const template = this.#template(name);
    try {
      const environment = new Environment();
      const all = { ...GLOBALS, raise_exception, ...this.#special, ...variables };
      for (const [variable, value] of Object.entries(all)) environment.set(variable, value);
      return String(new Interpreter(environment).run(template.parsed).value);
    } catch (cause) {
      const why = raised.message ?? (cause instanceof Error ? cause.message : String(cause));
      throw new TilewrightError('invalid-argument', `${this.name}: the chat template '${name}': ${why}`, { cause });
    }
  }

  #template(name: string): Template {
    const source = this.#sources.get(name);
    if (source === undefined) refuse('invalid-argument', 'chat', 'template', this.#names(), name);
    let template = this.#parsed.get(name);
    try {
      template ??= new Template(source!);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new TilewrightError('invalid-file', `${this.name}: the chat template '${name}': ${why}`, { cause });
    }
    this.#parsed.set(name, template);
    return template;
  }
}
