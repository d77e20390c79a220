import { TilewrightError, throwIfAborted } from '../errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { Turns } from '../gpu/turns.ts';
import { loadOps } from '../graph/groups/index.ts';
import type { Graph } from '../graph/ir.ts';
import type { Calibration } from '../graph/passes/activations.ts';
import { readJson, readText } from '../hub/folder.ts';
import { checkArgument, checkOptions, either, fn, integer, list, signal, text } from '../options.ts';
import type { Session, TensorInput } from '../runtime/session.ts';
import { fromHalf } from '../tensor/half.ts';
import type { TensorData } from '../tensor/types.ts';
import { Adjustments } from '../text/adjustments.ts';
import type { ChatMessage, ChatTemplateOptions, ChatTemplates } from '../text/chat.ts';
import type { Constraint, TextConstraint, Vocabulary } from '../text/constraint/index.ts';
import { type GenerationDefaults, readGeneration } from '../text/generation.ts';
import { createSampler, GREEDY, type SamplerSettings } from '../text/sampler.ts';
import { StopStrings } from '../text/stop-strings.ts';
import { TextStream } from '../text/stream.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import type { CalibrationOptions } from './calibration.ts';
import type { Drawing, Drawn } from './drawing.ts';
import { familyModule } from './families/index.ts';
import { LoadedModel, type LoadOptions, type ModelFiles, macsOf, type OpenOptions } from './model.ts';
import { AHEAD, TextCache } from './text-cache.ts';
import { type TextFamily, type TextGraphOptions, type TextShape, typed } from './text-family.ts';
import {
  type ChatOptions,
  GENERATE_RULES,
  type GeneratedToken,
  type GenerateOptions,
  type Generation,
  type Perplexity,
  type PerplexityOptions,
} from './text-options.ts';

/** What a step draws: the next token, that after each, or the next from adjusted logits. */
type Step = Exclude<TextGraphOptions['predict'], 'all'>;

/** A model of text on the device: text in, text out, a token at a time. */
export class TextGenerator extends LoadedModel {
  readonly task = 'text-generation';
  readonly architecture: string;
  readonly shape: TextShape;
  readonly parameters: number;
  protected macs = 0;
  readonly #turns = new Turns();
  #vocabulary: Vocabulary | undefined;
  #templates: Promise<ChatTemplates> | undefined;
  readonly #cache: TextCache;

  private constructor(
    gpu: Gpu,
    files: ModelFiles,
    options: LoadOptions,
    private readonly family: TextFamily,
    private readonly textCoder: Tokenizer | undefined,
    private readonly textConfig: Readonly<Record<string, unknown>> | undefined,
    private readonly defaults: GenerationDefaults,
  ) {
    super(gpu, files, options);
    this.architecture = family.architecture;
    this.shape = family.shape;
    this.parameters = family.weights.parameters;
    this.#cache = new TextCache({
      context: this.context,
      step: (tokens, predict) => this.#stepSession(tokens, predict),
      goesOn: (signal) => this.#goesOn(signal),
    });
  }

  static async load(gpu: Gpu, files: ModelFiles, given: OpenOptions = {}): Promise<TextGenerator> {
    const { groups, family: read } = await familyModule(files);
    await loadOps(['text', ...groups]);
    const family = read(files, given);
    const { shape, weights } = family;
    const options = typed(given, weights);
    const [json, config, generation] = await Promise.all(
      ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json'].map((file) =>
        readJson(files.folder, file, options.signal),
      ),
    );
    const tokenizer = json && (await (await import('../text/tokenizer.ts')).loadTokenizer(json, config, shape));
    const defaults = readGeneration(files.name, files.config, generation);
    const model = new TextGenerator(gpu, files, options, family, tokenizer, config, defaults);
    try {
      const { chunks } = model.#cache;
      const [, ...graphs] = [1, ...chunks].map((tokens) => model.graph(tokens, 'last'));
      if (!options.allowUnused) weights.needAllTaken();
      if (options.onPaper) return model;
      // One after the other: the first brings the weights, and the kernels of the others compile meanwhile.
      model.precompile(graphs);
      for (const tokens of [1, ...chunks]) await model.#stepSession(tokens, 'last', options);
      model.macs = await macsOf(model.graph(1, 'last'));
      return model;
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  /** @internal */
  override moveTo(gpu: Gpu): void {
    this.#cache.clear();
    super.moveTo(gpu);
  }

  /** Tokens of prompt and continuation at the most. */
  get context(): number {
    return this.shape.context;
  }

  /** Errors: `not-found` where the folder has no tokenizer.json. */
  get tokenizer(): Tokenizer {
    if (!this.textCoder)
      throw new TilewrightError(
        'not-found',
        `${this.files.name} has no tokenizer.json: give token ids instead of text`,
      );
    return this.textCoder;
  }

  /** What generation_config.json says of `generate`'s options. It holds where the caller says nothing. */
  get generationConfig(): Readonly<GenerateOptions> {
    return this.defaults.options;
  }

  graphs(): Readonly<Record<string, Graph>> {
    const [chunk] = this.#cache.chunks;
    return { decode: this.graph(1, 'last'), ...(chunk && { prefill: this.graph(chunk, 'last') }) };
  }

  /** Decoding is profiled in the middle of the context: attention reads half of the keys. */
  typicalInputs(plan: string): Readonly<Record<string, TensorInput>> {
    const count = plan === 'decode' ? 1 : this.#cache.chunks[0]!;
    const start = plan === 'decode' ? this.context >> 1 : 0;
    const positions = Uint32Array.from({ length: count }, (_, i) => start + i);
    const tokens = positions.map((position) => (position * 7919) % this.shape.vocabulary);
    return { tokens, positions, settings: GREEDY, ...(count > 1 && { last: [count - 1] }) };
  }

  /** For a chunk of tokens: the logits after each, or the token drawn after the last. */
  graph(tokens: number, predict: TextGraphOptions['predict'], dataType = this.dataType): Graph {
    return this.family.graph({ dataType, tokens, predict });
  }

  /** The session for a chunk of `tokens` tokens, with the output `token`. The one for 1 token decodes. */
  async #stepSession(tokens: number, predict: Step, options: LoadOptions = {}): Promise<Session> {
    if (predict === 'adjusted') await loadOps(['logic']);
    const name = {
      last: tokens === 1 ? 'decode' : `prefill ${tokens}`,
      each: `guess ${tokens}`,
      adjusted: 'decode adjusted',
    };
    const how = predict === 'last' ? { ...options, runsAhead: AHEAD } : options;
    return this.session(name[predict], () => this.graph(tokens, predict), how);
  }

  #floats(data: TensorData): Float32Array {
    return this.dataType === 'float16' ? Float32Array.from(data as Uint16Array, fromHalf) : (data as Float32Array);
  }

  /** Errors: `disposed`, `aborted`. */
  #goesOn(signal?: AbortSignal): void {
    if (this.disposed) throw new TilewrightError('disposed', `the model ${this.files.name} was disposed of`);
    throwIfAborted(signal, 'generating');
  }

  /** The tokens that continue a prompt, across slides of the context. */
  async *#tokens(
    prompt: readonly number[],
    count: number,
    overflow: GenerateOptions['overflow'],
    sampler: () => SamplerSettings,
    drawing: Omit<Drawing, 'settings'>,
  ): AsyncGenerator<Drawn, void> {
    const ids = [...prompt];
    const end = ids.length + count;
    // On a new device, tokens that were drawn and not read are drawn again with the same numbers.
    const drawn: SamplerSettings[] = [];
    let from = 0;
    while (ids.length < end) {
      // The last position gives one token more.
      const full = from + this.context + 1;
      if (ids.length === full && overflow !== 'slide') return;
      if (ids.length === full) from = ids.length - Math.max(1, this.context >> 1);
      else {
        const begin = (): AsyncGenerator<Drawn, void> => {
          const before = ids.length - prompt.length;
          const settings = (index: number): SamplerSettings => (drawn[before + index] ??= sampler());
          const count = Math.min(end, full) - ids.length;
          return this.#cache.continue(ids.slice(from), count, { ...drawing, settings });
        };
        for await (const drawn of this.#recovered(begin)) {
          ids.push(drawn.token);
          drawing.by?.push(drawn.token);
          yield drawn;
        }
      }
    }
  }

  /** What a generator gives. It is begun again on a new device where this one is lost and the engine recovers. */
  async *#recovered<T>(begin: () => AsyncGenerator<T, void>): AsyncGenerator<T, void> {
    let { gpu } = this;
    let going = begin();
    const next = (): Promise<IteratorResult<T, void>> => {
      if (this.gpu !== gpu) [gpu, going] = [this.gpu, begin()];
      return going.next();
    };
    for (;;) {
      const { value, done } = await this.recovering(next);
      if (done) return;
      yield value;
    }
  }

  /** Token ids of a text; given ids as they are. */
  #ids(call: string, given: string | readonly number[]): readonly number[] {
    checkArgument(call, 'text', given, either(text, list(integer(0, this.shape.vocabulary - 1))));
    return typeof given === 'string' ? this.tokenizer.encode(given) : given;
  }

  /**
   * Logits of every token of a sequence: [ids.length, vocabulary]. Errors: `context-exceeded`, `invalid-argument`,
   * `aborted`.
   */
  async logits(ids: readonly number[], options: { signal?: AbortSignal } = {}): Promise<Float32Array> {
    checkOptions('logits', options, { signal });
    const given = this.#ids('logits', ids);
    if (given.length > this.context) throw this.#tooLong(given.length);
    const work = async (): Promise<Float32Array> => {
      this.#cache.clear();
      const chunk = Math.min(64, this.context);
      const session = await this.session(`logits ${chunk}`, () => this.graph(chunk, 'all'), options);
      const { vocabulary } = this.shape;
      const all = new Float32Array(given.length * vocabulary);
      for (let done = 0; done < given.length; done += chunk) {
        // The last chunk ends with the context at the latest. Rows that it computes again come out the same.
        const start = Math.min(done, this.context - chunk);
        const tokens = Uint32Array.from({ length: chunk }, (_, i) => given[start + i] ?? 0);
        const { logits } = await session.run({ tokens, positions: tokens.map((_, i) => start + i) }, options);
        const from = (done - start) * vocabulary;
        const count = Math.min(chunk - (done - start), given.length - done);
        all.set(this.#floats(logits!).subarray(from, from + count * vocabulary), done * vocabulary);
      }
      return all;
    };
    return this.#turns.take(() => this.recovering(work));
  }

  /**
   * Streams a continuation of a text, or of token ids. Errors: `context-exceeded`, `aborted`, `invalid-argument`,
   * `disposed`, `device-lost`. Leaving the loop stops it. Several texts may be written at once. They share one cache: a
   * text that another interrupted is read in again first, from where they differ.
   */
  async *generate(
    prompt: string | readonly number[],
    options: GenerateOptions = {},
  ): AsyncGenerator<GeneratedToken, Generation> {
    checkOptions('generate', options, GENERATE_RULES);
    const { defaults } = this;
    const said = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const how: GenerateOptions = { ...defaults.options, ...said };
    const sampler = createSampler(how);
    const given = this.#ids('generate', prompt);
    const stops = defaults.stopTokens ?? [this.textCoder?.eosTokenId ?? []].flat();
    let ids = given.length ? given : [defaults.startToken ?? this.textCoder?.bosTokenId ?? stops[0] ?? 0];
    const ends = new Set(how.stopTokens ?? stops);
    const kept = how.constraint && (await this.#constraint(how.constraint, ends));
    const scores = how.logprobs === undefined ? undefined : (await import('../text/logprobs.ts')).logprobsOf;
    const by = Adjustments.of(how, this.shape.vocabulary, ids, kept, Boolean(scores));
    const count = how.maxNewTokens ?? defaults.count(ids.length) ?? 64;
    if (ids.length > this.context) {
      if (how.overflow !== 'slide') throw this.#tooLong(ids.length);
      ids = ids.slice(-this.context);
    }
    const stopStrings = new StopStrings(how.stopStrings ?? []);
    const stream = how.stopStrings?.length || this.textCoder ? new TextStream(this.tokenizer) : undefined;
    const cost: Drawing['cost'] = { runs: 0 };
    const { promptCache: reuse = true, promptLookupTokens: guesses = 0 } = how;
    const drawing = { by, scored: Boolean(scores), signal: how.signal, reuse, guesses, cost };
    const tokens = this.#tokens(ids, count, how.overflow, sampler, drawing);
    let last = ids.at(-1)!;
    let written = 0;
    const ended = (reason: Generation['reason']): Generation => ({
      ...{ reason, promptTokens: ids.length, cachedTokens: cost.reused ?? 0, tokens: written, runs: cost.runs },
    });
    let reason: Generation['reason'] = 'stop';
    for (;;) {
      const { value: drawn } = await this.#turns.take(() => tokens.next());
      const token = drawn?.token;
      if (token === undefined) reason = 'length';
      if (token === undefined || ends.has(token)) break;
      last = token;
      written++;
      const { text, stopped } = stopStrings.push(stream?.push(token) ?? '');
      const logprobs = scores?.(this.#floats(drawn!.logits!), token, how.logprobs!, this.textCoder);
      yield { token, text, ...(logprobs && { logprobs }) };
      if (stopped) return ended('stop');
      if (kept?.ended) break;
    }
    const rest = stopStrings.end(stream?.flush() ?? '');
    if (rest) yield { token: last, text: rest };
    return ended(reason);
  }

  /** What follows a text that is to keep to a constraint. */
  async #constraint(given: TextConstraint, ends: ReadonlySet<number>): Promise<Constraint> {
    const { Constraint, Vocabulary } = await import('../text/constraint/index.ts');
    const size = Math.min(this.tokenizer.size, this.shape.vocabulary);
    this.#vocabulary ??= new Vocabulary(this.tokenizer, size);
    return new Constraint(given, this.#vocabulary, ends);
  }

  /**
   * The token ids of the prompt that the folder's chat template writes for a conversation: what `chat` reads. Errors: as of `chat`, but that
   * a conversation may be longer than the context.
   */
  async applyChatTemplate(
    messages: readonly ChatMessage[],
    options: ChatTemplateOptions & { signal?: AbortSignal } = {},
  ): Promise<number[]> {
    const { CHAT_RULES, ChatTemplates } = await import('../text/chat.ts');
    checkOptions('applyChatTemplate', options, { ...CHAT_RULES, signal });
    const { signal: ended, ...written } = options;
    this.#templates ??= readText(this.files.folder, 'chat_template.jinja', ended).then(
      (file) => new ChatTemplates(this.files.name, this.textConfig ?? {}, file),
    );
    const templates = await this.#templates.catch((error) => {
      this.#templates = undefined; // it is read again
      throw error;
    });
    throwIfAborted(ended, 'writing the prompt');
    return this.tokenizer.encode(templates.render(messages, written), { addSpecialTokens: false });
  }

  /**
   * Streams the reply to a conversation, as `generate` does: the folder's chat template (chat_template.jinja, or `chat_template` in
   * tokenizer_config.json) writes the prompt. The reply ends at the model's end-of-text tokens and the tokenizer's `eos_token`, or with
   * the context. Errors: those of `generate`; `invalid-argument` with what the template raises, or for tools that it does not take;
   * `not-found` where there is no template; `context-exceeded` for a conversation that is longer than the context, whatever `overflow` says.
   */
  async *chat(messages: readonly ChatMessage[], options: ChatOptions = {}): AsyncGenerator<GeneratedToken, Generation> {
    const { CHAT_RULES } = await import('../text/chat.ts');
    checkOptions('chat', options, { ...GENERATE_RULES, ...CHAT_RULES });
    const { tools, template, variables, continueFinalMessage, ...how } = options;
    const written = { tools, template, variables, continueFinalMessage, signal: how.signal };
    const ids = await this.applyChatTemplate(messages, written);
    const { tokenizer, defaults } = this;
    if (ids.length > this.context)
      throw this.#tooLong(ids.length, 'Leave out older messages, or load the model with a larger context.');
    const stopTokens = [...(defaults.stopTokens ?? []), ...[tokenizer.eosTokenId ?? []].flat()];
    const maxNewTokens = how.maxNewTokens ?? defaults.count(ids.length) ?? this.context - ids.length + 1;
    return yield* this.generate(ids, { ...how, stopTokens: how.stopTokens ?? stopTokens, maxNewTokens });
  }

  #tooLong(
    length: number,
    hint = "Shorten the prompt, or pass overflow: 'slide' to keep only its end.",
  ): TilewrightError {
    const message = `${length} tokens are more than the context of ${this.context}`;
    return new TilewrightError('context-exceeded', message, { hint });
  }

  /**
   * Scales of the layers' inputs over sample texts (or token ids), for `activations: 'static'`. All tokens are cut into
   * chunks of 64; a rest at the end is left out.
   */
  calibrate(texts: Iterable<string | readonly number[]>, options: CalibrationOptions = {}): Promise<Calibration> {
    const ids = [...texts].flatMap((text) => this.#ids('calibrate', text));
    const chunk = Math.min(64, this.context, Math.max(1, ids.length));
    const chunks = Math.floor(ids.length / chunk);
    const within = Math.floor(this.context / chunk);
    const samples = Array.from({ length: chunks }, (_, i) => ({
      tokens: Uint32Array.from(ids.slice(i * chunk, (i + 1) * chunk)),
      positions: Uint32Array.from({ length: chunk }, (_unused, t) => (i % within) * chunk + t),
    }));
    return this.calibrateOn(this.graph(chunk, 'all'), samples, options);
  }

  /**
   * Perplexity over windows of the context's length, each scored on its own. Tokens after the last full window are left
   * out.
   */
  async perplexity(text: string | readonly number[], options: PerplexityOptions = {}): Promise<Perplexity> {
    checkOptions<PerplexityOptions>('perplexity', options, { signal, onWindow: fn });
    const { onWindow, ...how } = options;
    const { tokenLoss, windows } = await import('../text/perplexity.ts');
    const parts = windows(this.#ids('perplexity', text), this.context);
    let sum = 0;
    let tokens = 0;
    for (const [index, { ids: window, scoreFrom }] of parts.entries()) {
      const logits = await this.logits(window, how);
      const { vocabulary } = this.shape;
      for (let i = scoreFrom; i < window.length; i++) {
        sum += tokenLoss(logits.subarray((i - 1) * vocabulary, i * vocabulary), window[i]!);
        tokens++;
      }
      onWindow?.(index + 1, parts.length);
    }
    const loss = sum / tokens;
    return { perplexity: Math.exp(loss), loss, tokens };
  }
}
