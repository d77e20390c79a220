import { fn, list, number, object, oneOf, type Rules, signal, text } from '../options.ts';
import { checked, notSupported } from './errors.ts';
import type { LanguageModelMessage } from './messages.ts';

/** What a session reads or writes: text, and of a session with tools their calls and answers. */
export interface LanguageModelExpected {
  readonly type: 'text' | 'tool-call' | 'tool-response';
  /** Tags of BCP 47. They are checked, and no language is refused: a model does what it can. */
  readonly languages?: readonly string[];
}

/** A function that the model may call. */
export interface LanguageModelTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the one argument. */
  readonly inputSchema: object;
  /** Is called with what the model wrote; the text goes back to it. An error ends the prompt with it. */
  readonly execute: (argument: Record<string, unknown>) => Promise<string> | string;
}

/** `balanced` is as the model's folder says, `most-predictable` takes the likeliest token. The standard's others are refused: give `temperature` and `topK`. */
export type LanguageModelSamplingMode = 'balanced' | 'most-predictable';

/** What `availability` is asked with. */
export interface LanguageModelCreateCoreOptions {
  /** From 1 on, with `temperature`. More than there are tokens is all of them. */
  readonly topK?: number;
  /** From 0 on, with `topK`. More than `maxTemperature` is that. */
  readonly temperature?: number;
  readonly samplingMode?: LanguageModelSamplingMode;
  readonly expectedInputs?: readonly LanguageModelExpected[];
  readonly expectedOutputs?: readonly LanguageModelExpected[];
  readonly tools?: readonly LanguageModelTool[];
}

/** An event of how far loading has come: `loaded` of 1. */
export interface DownloadProgressEvent extends Event {
  readonly loaded: number;
  readonly total: 1;
}

/** What `monitor` is given: it has the event `downloadprogress`. */
export interface CreateMonitor extends EventTarget {
  /** Is called with each event. */
  ondownloadprogress: ((event: DownloadProgressEvent) => void) | null;
  addEventListener(
    type: 'downloadprogress',
    listener: ((event: DownloadProgressEvent) => void) | null,
    options?: AddEventListenerOptions | boolean,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: AddEventListenerOptions | boolean,
  ): void;
}

/** How a session is made. */
export interface LanguageModelCreateOptions extends LanguageModelCreateCoreOptions {
  /** Ends the making, and later the session, with its reason. */
  readonly signal?: AbortSignal;
  /** Is called at once with what tells how far loading has come. */
  readonly monitor?: (monitor: CreateMonitor) => void;
  /** Begin every conversation, and never leave it. The system's message comes first. */
  readonly initialPrompts?: readonly LanguageModelMessage[];
}

const CORE: Rules<LanguageModelCreateCoreOptions> = {
  topK: number(),
  temperature: number(),
  samplingMode: oneOf(
    'most-predictable',
    'predictable',
    'slightly-predictable',
    'balanced',
    'slightly-creative',
    'creative',
    'most-creative',
  ),
  expectedInputs: list(object),
  expectedOutputs: list(object),
  tools: list(object),
};
const CREATE: Rules<LanguageModelCreateOptions> = { ...CORE, signal, monitor: fn, initialPrompts: list(object) };
const EXPECTED: Rules<LanguageModelExpected> = {
  type: oneOf('text', 'image', 'audio', 'tool-call', 'tool-response'),
  languages: list(text),
};
const TOOL: Rules<LanguageModelTool> = { name: text, description: text, inputSchema: object, execute: fn };

/** How tokens are drawn, and the functions that there are. */
export interface Asked {
  readonly topK: number | undefined;
  readonly temperature: number | undefined;
  readonly samplingMode: LanguageModelSamplingMode | null;
  readonly tools: readonly LanguageModelTool[];
}

/** Errors: TypeError, RangeError; NotSupportedError for what is not done here, by its name. */
export function readCore(call: string, options: LanguageModelCreateCoreOptions): Asked {
  return core(call, checked(call, options, CORE));
}

/** The same of all options. */
export function readCreate(
  options: LanguageModelCreateOptions,
): Asked & Pick<LanguageModelCreateOptions, 'signal' | 'monitor' | 'initialPrompts'> {
  const { signal: ends, monitor, initialPrompts, ...rest } = checked('create', options, CREATE);
  return { ...core('create', rest), signal: ends, monitor, initialPrompts };
}

function core(call: string, options: LanguageModelCreateCoreOptions): Asked {
  const { topK, temperature, samplingMode, tools = [] } = options;
  const raw = topK !== undefined || temperature !== undefined;
  if (raw && samplingMode) throw new TypeError(`${call}: samplingMode stands for topK and temperature: give either`);
  if (raw && (topK === undefined || temperature === undefined))
    throw notSupported(`${call}: give both topK and temperature, or neither`);
  if (topK! < 1) throw new RangeError(`${call}: topK: expected a number from 1 on, got ${topK}`);
  if (temperature! < 0) throw new RangeError(`${call}: temperature: expected a number from 0 on, got ${temperature}`);
  if (samplingMode && samplingMode !== 'balanced' && samplingMode !== 'most-predictable')
    throw notSupported(
      `${call}: samplingMode "${samplingMode}" is not done here, only "balanced" and "most-predictable": give topK and temperature`,
    );
  const types = { expectedInputs: 'tool-response', expectedOutputs: 'tool-call' } as const;
  for (const [option, ofTools] of Object.entries(types) as [keyof typeof types, string][])
    for (const expected of options[option] ?? []) {
      const { type, languages = [] } = checked(`${call}: ${option}`, expected, EXPECTED);
      if (type === undefined) throw new TypeError(`${call}: ${option}: one has no type`);
      Intl.getCanonicalLocales([...languages]); // a RangeError for what is no tag
      if (type !== 'text' && !(type === ofTools && tools.length))
        throw notSupported(`${call}: ${option}: the type "${type}" is not done here`);
    }
  for (const tool of tools) {
    const { name, description, inputSchema, execute } = checked(`${call}: tools`, tool, TOOL);
    if (name === undefined || description === undefined || inputSchema === undefined)
      throw new TypeError(`${call}: tools: one lacks its name, description or inputSchema`);
    if (!execute)
      throw notSupported(`${call}: tools: ${name} has no execute function: calls are not given to the caller`);
  }
  return { topK, temperature, samplingMode: raw ? null : (samplingMode ?? 'balanced'), tools };
}
