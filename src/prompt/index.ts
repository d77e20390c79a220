/**
 * The Prompt API of the web platform over models of this device: webmachinelearning.github.io/prompt-api.
 *
 * @module tilewright/prompt
 */
import type { FolderModel } from '../models/index.ts';
import type { OnProgress, Progress } from '../tensor/progress.ts';
import { notSupported, standard, unlessAborted } from './errors.ts';
import { readMessages } from './messages.ts';
import {
  type Asked,
  type CreateMonitor,
  type DownloadProgressEvent,
  type LanguageModelCreateCoreOptions,
  type LanguageModelCreateOptions,
  readCore,
  readCreate,
} from './options.ts';
import { functions, LanguageModel, MAX_TEMPERATURE, type Prompted } from './session.ts';

export type {
  LanguageModelMessage,
  LanguageModelMessageContent,
  LanguageModelMessageRole,
  LanguageModelPrompt,
} from './messages.ts';
export type {
  CreateMonitor,
  DownloadProgressEvent,
  LanguageModelCreateCoreOptions,
  LanguageModelCreateOptions,
  LanguageModelExpected,
  LanguageModelSamplingMode,
  LanguageModelTool,
} from './options.ts';
export type { LanguageModel, LanguageModelAppendOptions, LanguageModelPromptOptions, Prompted } from './session.ts';

/** What `engine.load` gives: a model that is for another task is unavailable. */
export type Loaded = Prompted | { readonly task: Exclude<FolderModel['task'], 'text-generation'> | 'graph' };

/** Loads the model when the first session is made: `(how) => engine.load('org/model', how)`. */
export type Load = (how: { onProgress: OnProgress }) => Promise<Loaded>;

/** Whether there is a model for the options: at once, once it is loaded, or not at all. */
export type Availability = 'unavailable' | 'downloadable' | 'downloading' | 'available';

/** How tokens are drawn where nobody says it, and what may be said at the most. */
export interface LanguageModelParams {
  readonly defaultTopK: number;
  readonly maxTopK: number;
  readonly defaultTemperature: number;
  readonly maxTemperature: number;
}

/** What every template takes. */
const QUESTION = [{ role: 'user', content: 'Hi' }];

/** Errors: NotSupportedError for a model of another task, one without a chat template, or tools that its template does not take. */
async function checkModel(model: Loaded, asked: Asked): Promise<Prompted> {
  if (model.task !== 'text-generation') throw notSupported(`a model for ${model.task} has no conversations`);
  await model.applyChatTemplate(QUESTION, asked.tools.length ? { tools: functions(asked) } : {});
  return model;
}

const isUnsupported = (error: unknown): boolean => error instanceof DOMException && error.name === 'NotSupportedError';

/** One model with the static methods of `LanguageModel`: `const LanguageModel = new PromptAPI(model)`. */
export class PromptAPI {
  readonly #load: Load;
  #loading: Promise<Loaded> | undefined;
  #loaded: Loaded | undefined;
  readonly #watching = new Set<OnProgress>();

  /** `model`: a loaded one, or what loads it for the first session; all sessions share it, and it stays loaded. */
  constructor(model: Loaded | Load) {
    this.#load = typeof model === 'function' ? model : async () => model;
    if (typeof model !== 'function') this.#loaded = model;
  }

  /** Whether a session with these options can be made. Errors: TypeError, RangeError. */
  async availability(options: LanguageModelCreateCoreOptions = {}): Promise<Availability> {
    try {
      const asked = readCore('availability', options);
      if (!this.#loaded) return this.#loading ? 'downloading' : 'downloadable';
      await checkModel(this.#loaded, asked);
      return 'available';
    } catch (error) {
      const found = standard(error, 'OperationError');
      if (isUnsupported(found)) return 'unavailable';
      throw found;
    }
  }

  /** null where no model for conversations is loaded yet. */
  async params(): Promise<LanguageModelParams | null> {
    const model = this.#loaded;
    if (model?.task !== 'text-generation') return null;
    const { topK, temperature } = model.generationConfig;
    const { vocabulary } = model.shape;
    return {
      defaultTopK: topK ?? vocabulary,
      maxTopK: vocabulary,
      defaultTemperature: temperature ?? 1,
      maxTemperature: MAX_TEMPERATURE,
    };
  }

  /**
   * Makes a session, and loads the model where it is not. A model that is being loaded goes on where the signal fires. Errors: AbortError, or the signal's
   * reason; NotSupportedError for what is not done here, by its name; QuotaExceededError for initial prompts that do not fit; NetworkError,
   * OperationError; TypeError, RangeError.
   */
  async create(options: LanguageModelCreateOptions = {}): Promise<LanguageModel> {
    const { signal = new AbortController().signal, monitor, initialPrompts = [], ...asked } = readCreate(options);
    signal.throwIfAborted();
    const none = { messages: [], prefix: false };
    const initial = initialPrompts.length ? readMessages('create: initialPrompts', initialPrompts, true) : none;
    if (initial.prefix) throw notSupported('create: initialPrompts: a prefix is gone on with by a prompt alone');
    const watch = monitor && watching(monitor, signal);
    try {
      return await unlessAborted(signal, this.#open(asked, initial, signal, watch));
    } catch (error) {
      throw signal.aborted ? signal.reason : standard(error, 'OperationError');
    }
  }

  async #open(
    asked: Asked,
    initial: ReturnType<typeof readMessages>,
    signal: AbortSignal,
    watch?: (loaded: number) => void,
  ): Promise<LanguageModel> {
    watch?.(0);
    const onProgress = watch && shareOf(watch);
    if (onProgress) this.#watching.add(onProgress);
    try {
      const model = await checkModel(await this.#ready(), asked);
      const session = await LanguageModel.open(model, asked, initial);
      session.until(signal);
      watch?.(1);
      return session;
    } finally {
      if (onProgress) this.#watching.delete(onProgress);
    }
  }

  /** The model, loaded once. */
  async #ready(): Promise<Loaded> {
    const onProgress = (progress: Progress): void => {
      for (const tell of this.#watching) tell(progress);
    };
    this.#loading ??= this.#load({ onProgress });
    try {
      this.#loaded = await this.#loading;
      return this.#loaded;
    } catch (error) {
      this.#loading = undefined; // another session tries again
      throw error;
    }
  }
}

/** Tells a caller's monitor of a share of 1 that is larger than the last. */
function watching(monitor: (monitor: CreateMonitor) => void, signal: AbortSignal): (loaded: number) => void {
  const target = Object.assign(new EventTarget(), { ondownloadprogress: null }) as CreateMonitor;
  target.addEventListener('downloadprogress', (event) => target.ondownloadprogress?.(event));
  monitor(target);
  let last = -1;
  return (loaded) => {
    if (loaded <= last || signal.aborted) return;
    last = loaded;
    const event = Object.assign(new Event('downloadprogress'), { loaded, total: 1, lengthComputable: true });
    target.dispatchEvent(event as Event as DownloadProgressEvent);
  };
}

/** Bytes that are fetched, as a share of 1; of files that are not, bytes that go to the device. The whole is told when the session is there. */
function shareOf(watch: (loaded: number) => void): OnProgress {
  let fetched = false;
  return ({ phase, loaded, total }) => {
    fetched ||= phase === 'fetch';
    if (phase === (fetched ? 'fetch' : 'upload') && loaded < total) watch(loaded / total);
  };
}
