import { TilewrightError, throwIfAborted } from '../errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { Turns } from '../gpu/turns.ts';
import { loadOps } from '../graph/groups/index.ts';
import type { Graph } from '../graph/ir.ts';
import type { Calibration } from '../graph/passes/activations.ts';
import { readJson, readText } from '../hub/folder.ts';
import { NO_TOKEN } from '../ops/sample.ts';
import { checkArgument, checkOptions, either, fn, integer, list, signal, text } from '../options.ts';
import type { Session, TensorInput } from '../runtime/session.ts';
import { fromHalf } from '../tensor/half.ts';
import type { TensorData } from '../tensor/types.ts';
import { Adjustments } from '../text/adjustments.ts';
import type { ChatMessage, ChatTemplates } from '../text/chat.ts';
import type { Constraint, TextConstraint, Vocabulary } from '../text/constraint/index.ts';
import { type GenerationDefaults, readGeneration } from '../text/generation.ts';
import { createSampler, GREEDY, type SamplerSettings, unusableLogits } from '../text/sampler.ts';
import { StopStrings } from '../text/stop-strings.ts';
import { TextStream } from '../text/stream.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import type { CalibrationOptions } from './calibration.ts';
import { familyModule } from './families/index.ts';
import { LoadedModel, type LoadOptions, type ModelFiles, macsOf, type OpenOptions } from './model.ts';
import type { TextFamily, TextGraphOptions, TextShape } from './text-family.ts';
import {
  type ChatOptions,
  GENERATE_RULES,
  type GeneratedToken,
  type GenerateOptions,
  type Generation,
  type Perplexity,
  type PerplexityOptions,
} from './text-options.ts';

/** Lengths of prefill chunks. The rest of a prompt is padded to the smallest that holds it. */
const CHUNKS = [64, 16];

/** Steps that are submitted before the first of them is read: the device goes on while the page catches up. */
const AHEAD = 4;

/** One run of a step session. */
interface Step {
  readonly session: Session;
  readonly inputs: Record<string, TensorInput>;
  /** Whether its token belongs to the text. Runs within the prompt give tokens that are known. */
  readonly wanted: boolean;
}

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
  /** The text whose keys and values the cache holds. Another text is read in again before it goes on. */
  #cached: object | undefined;

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
  }

  static async load(gpu: Gpu, files: ModelFiles, options: OpenOptions = {}): Promise<TextGenerator> {
    const { groups, family: read } = await familyModule(files);
    await loadOps(['text', ...groups]);
    const family = read(files, options);
    const { shape, weights } = family;
    const [json, config, generation] = await Promise.all(
      ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json'].map((file) =>
        readJson(files.folder, file, options.signal),
      ),
    );
    const tokenizer = json && (await (await import('../text/tokenizer.ts')).loadTokenizer(json, config, shape));
    const defaults = readGeneration(files.name, files.config, generation);
    const model = new TextGenerator(gpu, files, options, family, tokenizer, config, defaults);
    try {
      const [, ...chunks] = [1, ...model.#chunks()].map((tokens) => model.graph(tokens, 'last'));
      if (!options.allowUnused) weights.needAllTaken();
      if (options.onPaper) return model;
      // One after the other: the first brings the weights, and the kernels of the others compile meanwhile.
      model.precompile(chunks);
      await model.#stepSession(1, options);
      for (const chunk of model.#chunks()) await model.#stepSession(chunk, options);
      model.macs = await macsOf(model.graph(1, 'last'));
      return model;
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  /** @internal */
  override moveTo(gpu: Gpu): void {
    this.#cached = undefined;
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

  graphs(): Readonly<Record<string, Graph>> {
    const [chunk] = this.#chunks();
    return { decode: this.graph(1, 'last'), ...(chunk && { prefill: this.graph(chunk, 'last') }) };
  }

  /** Decoding is profiled in the middle of the context: attention reads half of the keys. */
  typicalInputs(plan: string): Readonly<Record<string, TensorInput>> {
    const count = plan === 'decode' ? 1 : this.#chunks()[0]!;
    const start = plan === 'decode' ? this.context >> 1 : 0;
    const positions = Uint32Array.from({ length: count }, (_, i) => start + i);
    const tokens = positions.map((position) => (position * 7919) % this.shape.vocabulary);
    return { tokens, positions, settings: GREEDY, ...(count > 1 && { last: [count - 1] }) };
  }

  /** For a chunk of tokens: the logits after each, or the token drawn after the last. */
  graph(tokens: number, predict: TextGraphOptions['predict'], dataType = this.dataType): Graph {
    return this.family.graph({ dataType, tokens, predict });
  }

  #chunks(): number[] {
    return CHUNKS.filter((chunk) => chunk <= this.context);
  }

  /** The session for a chunk of `tokens` tokens, with the output `token`. The one for 1 token decodes. */
  #stepSession(tokens: number, options: LoadOptions = {}): Promise<Session> {
    const name = tokens === 1 ? 'decode' : `prefill ${tokens}`;
    return this.session(name, () => this.graph(tokens, 'last'), { ...options, runsAhead: AHEAD });
  }

  /** The session that reads a token and draws the next from adjusted logits. */
  async #adjustedSession(): Promise<Session> {
    await loadOps(['logic']);
    return this.session('decode adjusted', () => this.graph(1, 'adjusted'));
  }

  #floats(data: TensorData): Float32Array {
    return this.dataType === 'float16' ? Float32Array.from(data as Uint16Array, fromHalf) : (data as Float32Array);
  }

  /**
   * The runs that read `ids` into the cache from its start, and those that give `count` tokens after them. The last
   * chunk of `ids` gives the first token. Each other step takes the token before it on the device.
   * Adjusted logits follow the text: each step waits for the one before.
   */
  *#steps(
    ids: readonly number[],
    count: number,
    sampler: () => SamplerSettings,
    sessions: ReadonlyMap<number, Session>,
    adjusted?: { readonly session: Session; readonly by: Adjustments },
  ): Generator<Step, void> {
    for (let done = 0; done < ids.length + count - 1; ) {
      // A token that is drawn from adjusted logits has a step of its own.
      const left = ids.length - done - (adjusted && ids.length - done > 1 ? 1 : 0);
      const fitting = this.#chunks().filter((chunk) => done + chunk <= this.context);
      const size = left <= 1 ? 1 : (fitting.find((chunk) => chunk <= left) ?? fitting.at(-1) ?? 1);
      const known = ids.slice(done, done + Math.min(size, Math.max(left, 0)));
      const positions = Uint32Array.from({ length: size }, (_, i) => done + i);
      done += Math.max(known.length, 1);
      const wanted = done >= ids.length;
      const inputs = {
        positions,
        settings: wanted ? sampler() : GREEDY,
        ...(known.length && { tokens: Uint32Array.from(positions, (_, i) => known[i] ?? 0) }),
        ...(size > 1 && { last: [known.length - 1] }),
        ...(wanted && adjusted && { terms: adjusted.by.terms, factors: adjusted.by.factors }),
      };
      yield { session: wanted && adjusted ? adjusted.session : sessions.get(size)!, inputs, wanted };
    }
  }

  /**
   * `count` tokens after `ids`; fewer where another text takes the cache meanwhile. `ids` and all tokens but the last
   * fit into the context. Steps are submitted before earlier ones are read, unless logits are adjusted.
   */
  async *#continue(
    ids: readonly number[],
    count: number,
    sampler: () => SamplerSettings,
    by: Adjustments | undefined,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<number, void> {
    const sizes = [1, ...this.#chunks()];
    const built = await Promise.all(sizes.map((size) => this.#stepSession(size)));
    const sessions = new Map(sizes.map((size, i) => [size, built[i]!]));
    const adjusted = by && { session: await this.#adjustedSession(), by };
    const copy = { token: (adjusted?.session ?? sessions.get(1)!).inputBuffer('tokens') };
    const steps = this.#steps(ids, count, sampler, sessions, adjusted);
    const ahead: { wanted: boolean; result: Promise<Record<string, TensorData>> }[] = [];
    const start = (): void => {
      const step = this.#cached === steps && steps.next().value;
      if (!step) return;
      const result = step.session.run(step.inputs, { signal, copy });
      result.catch(() => {}); // reported when it is awaited, if it is
      ahead.push({ wanted: step.wanted, result });
    };
    this.#cached = steps;
    for (let i = 1; i < AHEAD && !adjusted; i++) start();
    for (;;) {
      start();
      const step = ahead.shift();
      if (!step) return;
      const [token] = (await step.result)['token'] as Uint32Array;
      this.#goesOn(signal);
      if (!step.wanted) continue;
      if (token === NO_TOKEN) throw unusableLogits();
      yield token!;
      this.#goesOn(signal);
    }
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
    { overflow, signal }: GenerateOptions,
    sampler: () => SamplerSettings,
    by: Adjustments | undefined,
  ): AsyncGenerator<number, void> {
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
        const begin = (): AsyncGenerator<number, void> => {
          let at = ids.length - prompt.length;
          const draw = (): SamplerSettings => (drawn[at++] ??= sampler());
          return this.#continue(ids.slice(from), Math.min(end, full) - ids.length, draw, by, signal);
        };
        for await (const token of this.#recovered(begin)) {
          ids.push(token);
          by?.push(token);
          yield token;
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
      this.#cached = undefined;
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
   * text that another interrupted is read in again first.
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
    const by = Adjustments.of(how, this.shape.vocabulary, ids, kept);
    const count = how.maxNewTokens ?? defaults.count(ids.length) ?? 64;
    if (ids.length > this.context) {
      if (how.overflow !== 'slide') throw this.#tooLong(ids.length);
      ids = ids.slice(-this.context);
    }
    const stopStrings = new StopStrings(how.stopStrings ?? []);
    const stream = how.stopStrings?.length || this.textCoder ? new TextStream(this.tokenizer) : undefined;
    const tokens = this.#tokens(ids, count, how, sampler, by);
    let last = ids.at(-1)!;
    let written = 0;
    const ended = (reason: Generation['reason']): Generation => ({ reason, promptTokens: ids.length, tokens: written });
    let reason: Generation['reason'] = 'stop';
    for (;;) {
      const { value: token } = await this.#turns.take(() => tokens.next());
      if (token === undefined) reason = 'length';
      if (token === undefined || ends.has(token)) break;
      last = token;
      written++;
      const { text, stopped } = stopStrings.push(stream?.push(token) ?? '');
      yield { token, text };
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
   * Streams the reply to a conversation, as `generate` does: the folder's chat template (chat_template.jinja, or `chat_template` in
   * tokenizer_config.json) writes the prompt. The reply ends at the model's end-of-text tokens and the tokenizer's `eos_token`, or with
   * the context. Errors: those of `generate`; `invalid-argument` with what the template raises, or for tools that it does not take;
   * `not-found` where there is no template; `context-exceeded` for a conversation that is longer than the context, whatever `overflow` says.
   */
  async *chat(messages: readonly ChatMessage[], options: ChatOptions = {}): AsyncGenerator<GeneratedToken, Generation> {
    const { CHAT_RULES, ChatTemplates } = await import('../text/chat.ts');
    checkOptions('chat', options, { ...GENERATE_RULES, ...CHAT_RULES });
    const { tools, template, variables, ...how } = options;
    this.#templates ??= readText(this.files.folder, 'chat_template.jinja', options.signal).then(
      (file) => new ChatTemplates(this.files.name, this.textConfig ?? {}, file),
    );
    const templates = await this.#templates.catch((error) => {
      this.#templates = undefined; // it is read again
      throw error;
    });
    const { tokenizer, defaults } = this;
    const written = Object.entries({ tools, template, variables }).filter(([, value]) => value !== undefined);
    const prompt = templates.render(messages, Object.fromEntries(written));
    const ids = tokenizer.encode(prompt, { addSpecialTokens: false });
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
