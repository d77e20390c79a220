import { TilewrightError } from '../../errors.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { NO_TOKEN } from '../../ops/sample.ts';
import {
  checkArgument,
  checkOptions,
  either,
  flag,
  integer,
  list,
  number,
  oneOf,
  type Rule,
  refuse,
  text,
} from '../../options.ts';
import { Adjustments } from '../../text/adjustments.ts';
import { type GenerationDefaults, readGeneration } from '../../text/generation.ts';
import { createSampler, type SamplerSettings, unusableLogits } from '../../text/sampler.ts';
import { TextStream } from '../../text/stream.ts';
import type { LoadOptions, ModelFiles, OpenOptions } from '../model.ts';
import { typed } from '../text-family.ts';
import type { GeneratedToken, Generation } from '../text-options.ts';
import { searchBeams } from './beams.ts';
import { EncoderDecoder, readParts, type Seq2SeqParts } from './encoder-decoder.ts';
import { TRANSLATE_RULES, type TranslateOptions } from './translator-options.ts';

/** Lengths of encoders' runs. A text is padded to the smallest that holds it. */
const LENGTHS = [16, 64, 256, 1024];

const ID = integer(0);
/** Fields of generation_config.json beside those of decoders. */
const FIELDS: Readonly<Record<string, Rule>> = {
  num_beams: integer(1, 64),
  length_penalty: number(-100, 100),
  early_stopping: oneOf(false, true, 'never'),
  min_length: ID,
  min_new_tokens: ID,
  decoder_start_token_id: ID,
  forced_bos_token_id: ID,
  forced_eos_token_id: either(ID, list(ID, 1)),
  remove_invalid_values: flag,
};

/** How a text is written, with nothing left out that matters. */
interface How extends TranslateOptions {
  readonly count: number;
  readonly ends: ReadonlySet<number>;
}

/** A model that writes a text for another: a translation, a summary. */
export class Translator extends EncoderDecoder {
  readonly task = 'text2text-generation';
  protected readonly typicalTokens: number;

  private constructor(
    gpu: Gpu,
    files: ModelFiles,
    options: LoadOptions,
    parts: Seq2SeqParts,
    private readonly defaults: GenerationDefaults,
    private readonly first: number,
  ) {
    super(gpu, files, options, parts);
    this.typicalTokens = this.#lengths[0]!;
  }

  static async load(gpu: Gpu, files: ModelFiles, given: OpenOptions = {}): Promise<Translator> {
    const parts = await readParts(files, given);
    const options = typed(given, parts.family.weights);
    const defaults = readGeneration(files.name, files.config, parts.generation, FIELDS);
    const first = defaults.field<number>('decoder_start_token_id') ?? files.config?.['decoder_start_token_id'];
    if (!ID[1](first))
      throw new TilewrightError(
        'unsupported-option',
        `${files.name}: neither generation_config.json nor config.json says decoder_start_token_id`,
      );
    return new Translator(gpu, files, options, parts, defaults, first as number).start(options);
  }

  /** Tokens of a text that is read, and of one that is written, at the most. */
  get context(): { readonly source: number; readonly target: number } {
    return { source: this.shape.encoder.length, target: this.shape.decoder.length };
  }

  /** What generation_config.json says of `generate`'s options. It holds where the caller says nothing. */
  get generationConfig(): Readonly<TranslateOptions> {
    const { options, field, count } = this.defaults;
    const said = {
      ...options,
      // Without do_sample the likeliest token is drawn.
      ...(field('do_sample') !== true && { temperature: 0 }),
      numBeams: field<number>('num_beams'),
      lengthPenalty: field<number>('length_penalty'),
      earlyStopping: field<boolean | 'never'>('early_stopping'),
      maxNewTokens: count(1),
      minNewTokens: field<number>('min_new_tokens') ?? Math.max(0, (field<number>('min_length') ?? 0) - 1),
    };
    return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  }

  get #lengths(): number[] {
    const { length } = this.shape.encoder;
    return [...LENGTHS.filter((count) => count < length), length];
  }

  /** The text that the model writes for another. Errors: those of `generate`; `not-found` where there is no tokenizer.json. */
  async translate(source: string, options: TranslateOptions = {}): Promise<string> {
    checkArgument('translate', 'text', source, text);
    const { tokenizer } = this;
    const ids: number[] = [];
    for await (const { token } of this.generate(source, options)) ids.push(token);
    const special = new Set(tokenizer.specialTokenIds);
    return tokenizer.decode(ids.filter((id) => !special.has(id))).trim();
  }

  /**
   * Streams the text that the model writes for another, or for its token ids; beams come when they are done. The special tokens that the
   * model writes are among its tokens, and no text. Errors: `context-exceeded`, `aborted`, `invalid-argument`, `disposed`, `device-lost`.
   */
  async *generate(
    source: string | readonly number[],
    options: TranslateOptions = {},
  ): AsyncGenerator<GeneratedToken, Generation> {
    checkOptions('generate', options, TRANSLATE_RULES);
    const how = this.#how(options);
    const ids = this.#ids(source, how);
    const stream = this.parts.tokenizer && new TextStream(this.tokenizer);
    const special = new Set(this.parts.tokenizer?.specialTokenIds ?? []);
    let written = 0;
    let last: number | undefined;
    const drawn = (how.numBeams ?? 1) > 1 ? this.#beams(ids, how) : this.#drawn(ids, how);
    for await (const token of drawn) {
      last = token;
      if (how.ends.has(token)) break;
      written++;
      yield { token, text: special.has(token) ? '' : (stream?.push(token) ?? '') };
      this.goesOn(how.signal);
    }
    const rest = stream?.flush();
    if (rest) yield { token: last!, text: rest };
    const reason = last !== undefined && how.ends.has(last) ? 'stop' : 'length';
    return { reason, promptTokens: ids.length, cachedTokens: 0, tokens: written, runs: written + 1 };
  }

  #how(options: TranslateOptions): How {
    const said = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const how: TranslateOptions = { ...this.generationConfig, ...said };
    const { numBeams = 1, temperature = 0, greedy = false } = how;
    if (numBeams > 1 && options.temperature && !greedy)
      refuse('invalid-argument', 'generate', 'temperature', '0, with several beams', temperature);
    const most = this.context.target - 1;
    if (options.maxNewTokens !== undefined && options.maxNewTokens > most)
      refuse(
        'invalid-argument',
        'generate',
        'maxNewTokens',
        `at most ${most}, for which the model is made`,
        options.maxNewTokens,
      );
    const { stopTokens = this.defaults.stopTokens ?? [this.parts.tokenizer?.eosTokenId ?? []].flat() } = how;
    return { ...how, ends: new Set(stopTokens), count: Math.min(how.maxNewTokens ?? most, most) };
  }

  /** Token ids of a text; given ids as they are. Errors: `context-exceeded`, `invalid-argument`. */
  #ids(given: string | readonly number[], { truncate }: TranslateOptions): readonly number[] {
    const { vocabulary, encoder } = this.shape;
    checkArgument('generate', 'text', given, either(text, list(integer(0, vocabulary - 1))));
    const ids = typeof given === 'string' ? this.tokenizer.encode(given) : given;
    if (!ids.length) refuse('invalid-argument', 'generate', 'text', 'a token or more', 'none');
    if (ids.length <= encoder.length) return ids;
    // The token that ends a text stays its last.
    if (truncate) return [...ids.slice(0, encoder.length - 1), ids.at(-1)!];
    throw new TilewrightError(
      'context-exceeded',
      `${ids.length} tokens are more than the ${encoder.length} that the model reads`,
      {
        hint: 'Give the text in parts, or pass truncate: true to leave out its end.',
      },
    );
  }

  /** Reads a text: its keys and values become states. */
  async #encode(ids: readonly number[], signal: AbortSignal | undefined): Promise<void> {
    const length = this.#lengths.find((count) => count >= ids.length)!;
    const session = await this.encoderSession(length);
    const tokens = Uint32Array.from({ length }, (_, i) => ids[i] ?? 0);
    await session.run({ tokens, mask: this.maskFor(ids.length) }, { signal, outputs: [] });
    this.goesOn(signal);
  }

  /** What changes the logits of the next token, as the text goes on. */
  #adjustments(how: How): Adjustments | undefined {
    return Adjustments.of(how, this.shape.vocabulary, [this.first]);
  }

  /** Takes out of the scores after `ids` what may not come next: tokens that are forced, and the end before its time. */
  #bound(scores: Float32Array, ids: readonly number[], { count, ends, minNewTokens = 0 }: How): void {
    const { field } = this.defaults;
    const begin = ids.length ? undefined : field<number>('forced_bos_token_id');
    const end = ids.length === count - 1 ? field<number | number[]>('forced_eos_token_id') : undefined;
    if (ids.length < minNewTokens) for (const id of ends) scores[id] = Number.NEGATIVE_INFINITY;
    const [forced] = [end ?? begin ?? []].flat();
    if (forced === undefined) return;
    scores.fill(Number.NEGATIVE_INFINITY);
    scores[forced] = 0;
  }

  /** Tokens, each drawn from the logits after those before it. */
  async *#drawn(source: readonly number[], how: How): AsyncGenerator<number, void> {
    const sampler = createSampler(how);
    const by = this.#adjustments(how);
    const { signal } = how;
    const ids: number[] = [];
    // Another text may come in between: what this one reads is written again.
    const owner = {};
    while (ids.length < how.count) {
      const work = async (): Promise<Float32Array> => {
        const goesOn = this.owner === owner;
        this.owner = undefined;
        if (!goesOn) await this.#encode(source, signal);
        const known = [this.first, ...ids];
        const logits = await (goesOn ? this.read(known.slice(-1), ids.length, signal) : this.read(known, 0, signal));
        this.owner = owner;
        return logits;
      };
      const logits = await this.turns.take(() => this.recovering(work));
      if (by) adjust(logits, by);
      this.#bound(logits, ids, how);
      const token = await this.#draw(logits, sampler(), signal);
      ids.push(token);
      by?.push(token);
      yield token;
      if (how.ends.has(token)) return;
    }
  }

  /** A token: the likeliest, or one that the op `sample` draws. Error: `invalid-argument` where the logits give none. */
  async #draw(logits: Float32Array, settings: SamplerSettings, signal: AbortSignal | undefined): Promise<number> {
    const [temperature] = settings;
    if (temperature > 0) {
      const session = await this.session('sample', () => {
        const b = new GraphBuilder();
        const [given, by] = [logits.length, 5].map((size, i) =>
          b.input(i ? 'settings' : 'logits', { dataType: 'float32', shape: [1, size] }),
        );
        return b.outputs({ token: b.sample(given!, by!) });
      });
      const { token } = await session.run({ logits, settings }, { signal });
      if (token![0] === NO_TOKEN) throw unusableLogits();
      return token![0] as number;
    }
    let best = 0;
    for (let id = 0; id < logits.length; id++) if (logits[id]! > logits[best]!) best = id;
    if (!Number.isFinite(logits[best])) throw unusableLogits();
    return best;
  }

  /** The tokens of the best text that beam search finds. */
  async *#beams(source: readonly number[], how: How): AsyncGenerator<number, void> {
    const { numBeams: beams = 1, lengthPenalty = 1, earlyStopping = false, ends, count, signal } = how;
    const { vocabulary } = this.shape;
    const adjusts = this.#adjustments(how) !== undefined;
    const work = async (): Promise<readonly number[]> => {
      this.owner = undefined;
      await this.#encode(source, signal);
      const session = await this.stepSession({ tokens: 1, beams, predict: 'logits' });
      const options = { beams, lengthPenalty, earlyStopping, ends, count };
      const { ids } = await searchBeams(this.first, options, {
        step: async (tokens, parents, position) => {
          const { logits } = await session.run({ tokens, parents, positions: [position] }, { signal });
          this.goesOn(signal);
          const all = this.floats(logits!);
          return parents.map((_, i) => all.subarray(i * vocabulary, (i + 1) * vocabulary));
        },
        adjust: (scores, ids) => {
          const by = adjusts ? this.#adjustments(how) : undefined;
          for (const id of ids) by?.push(id);
          if (by) adjust(scores, by);
          this.#bound(scores, ids, how);
        },
      });
      return ids;
    };
    yield* await this.turns.take(() => this.recovering(work));
  }
}

/** Scores as Adjustments has it: terms are added; those above 0 are divided by factors, the others multiplied. */
function adjust(scores: Float32Array, { terms, factors }: Adjustments): void {
  for (let id = 0; id < scores.length; id++) {
    const moved = scores[id]! + terms[id]!;
    const factor = factors[id]!;
    scores[id] = factor === 1 ? moved : moved > 0 ? moved / factor : moved * factor;
  }
}
