import { type MelShape, melGraph, readMelShape, type Spectrogram, samplesOf, spectrogram } from '../../audio/mel.ts';
import { resample } from '../../audio/resample.ts';
import { readWav, type Sound } from '../../audio/wav.ts';
import type { BuildOptions } from '../../build/build.ts';
import { TilewrightError } from '../../errors.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import type { Graph } from '../../graph/ir.ts';
import { readJson } from '../../hub/folder.ts';
import { arrayOf, checkArgument, checkOptions, either, refuse } from '../../options.ts';
import type { TensorInput } from '../../runtime/session.ts';
import { createRandom } from '../../text/random.ts';
import type { LoadOptions, ModelFiles, OpenOptions } from '../model.ts';
import { typed } from '../text-family.ts';
import { EncoderDecoder, readParts, type Seq2SeqParts } from './encoder-decoder.ts';
import { readWhisperGeneration, type WhisperGeneration } from './whisper/generation.ts';
import {
  type Segment,
  TRANSCRIBE_DEFAULTS,
  TRANSCRIBE_RULES,
  type TranscribeOptions,
  type Transcription,
} from './whisper/options.ts';
import { draw, probability, WindowRules } from './whisper/rules.ts';
import { FRAMES, partsOf, wholeOf } from './whisper/segments.ts';

/** What transcribing takes, with nothing left out. */
type How = Required<Omit<TranscribeOptions, 'sampleRate' | 'language' | 'signal' | 'seed' | 'temperature'>> & {
  readonly temperatures: readonly number[];
  readonly random: () => number;
  readonly signal: AbortSignal | undefined;
};

/** The text of a window. `silent`: there is none. */
interface Written {
  readonly tokens: readonly number[];
  readonly temperature: number;
  readonly logProbability: number;
  readonly noSpeech: number;
  readonly silent: boolean;
}

/** A temperature from which on the text is too uncertain for the next window to go on from it. */
const UNCERTAIN = 0.5;

/** A model of speech on the device: audio in, text out, a segment at a time. */
export class Transcriber extends EncoderDecoder {
  readonly task = 'automatic-speech-recognition';
  protected readonly typicalTokens: number;
  readonly #mel: { readonly graph: Graph; readonly frames: number };
  /** Samples a second that the model takes. */
  readonly sampleRate: number;

  private constructor(
    gpu: Gpu,
    files: ModelFiles,
    options: LoadOptions,
    parts: Seq2SeqParts,
    private readonly mel: MelShape,
    private readonly generation: WhisperGeneration,
  ) {
    super(gpu, files, options, parts);
    const { encoder, audio } = parts.family.shape;
    this.typicalTokens = encoder.length;
    this.sampleRate = mel.rate;
    const frames = FRAMES * encoder.length;
    const where = `${files.name}: preprocessor_config.json`;
    if (mel.mels !== audio!.mels)
      throw new TilewrightError('wrong-shape', `${where} has ${mel.mels} mels, the model ${audio!.mels}`);
    if (Math.floor(mel.window / mel.hop) !== frames)
      throw new TilewrightError(
        'wrong-shape',
        `${where}: a window has ${mel.window / mel.hop} frames, the model ${frames}`,
      );
    this.#mel = { graph: melGraph(mel, frames), frames };
  }

  static async load(gpu: Gpu, files: ModelFiles, given: OpenOptions = {}): Promise<Transcriber> {
    const parts = await readParts(files, given);
    const options = typed(given, parts.family.weights);
    const mel = readMelShape(files.name, await readJson(files.folder, 'preprocessor_config.json', options.signal));
    const generation = readWhisperGeneration(files.name, parts.generation);
    return new Transcriber(gpu, files, options, parts, mel, generation).start(options);
  }

  /** Languages that it knows, as it names them: `en`. Empty for a model of English alone. */
  get languages(): readonly string[] {
    return Object.keys(this.generation.languages ?? {}).map((token) => token.slice(2, -2));
  }

  /** Those of encoder and decoder, and the spectrogram's. */
  override graphs(): Readonly<Record<string, Graph>> {
    return { ...super.graphs(), spectrogram: this.#mel.graph };
  }

  override typicalInputs(plan: string): Readonly<Record<string, TensorInput>> {
    if (plan !== 'spectrogram') return super.typicalInputs(plan);
    return { audio: Float32Array.from({ length: samplesOf(this.mel, this.#mel.frames) }, (_, i) => Math.sin(i / 3)) };
  }

  /** The tables of the spectrogram are float32, whatever type the model has. */
  protected override howFor(graph: Graph): BuildOptions {
    if (graph !== this.#mel.graph) return super.howFor(graph);
    const { check, tune } = this.how;
    return { check, tune };
  }

  /**
   * The log-mel spectrogram that the model reads, [frames, mels]: of a window at the least. Errors: `invalid-argument`, `invalid-file`,
   * `aborted`.
   */
  async spectrogram(
    audio: Float32Array | Blob,
    options: Pick<TranscribeOptions, 'sampleRate' | 'signal'> = {},
  ): Promise<Spectrogram> {
    const { sampleRate, signal } = TRANSCRIBE_RULES;
    checkOptions('spectrogram', options, { sampleRate, signal });
    return this.#spectrogram(await this.#sound('spectrogram', audio, options.sampleRate), options.signal);
  }

  async #spectrogram(samples: Float32Array, signal: AbortSignal | undefined): Promise<Spectrogram> {
    const work = async (): Promise<Spectrogram> => {
      const session = await this.session('spectrogram', () => this.#mel.graph, { signal });
      return spectrogram(this.mel, samples, async (audio) => {
        const { mel } = await session.run({ audio }, { signal });
        this.goesOn(signal);
        return mel as Float32Array;
      });
    };
    return this.turns.take(() => this.recovering(work));
  }

  /** Audio at the model's rate. Errors: `invalid-argument`, `invalid-file`. */
  async #sound(call: string, audio: Float32Array | Blob, sampleRate: number | undefined): Promise<Float32Array> {
    checkArgument(call, 'audio', audio, either(arrayOf('Float32Array', 'Blob', 'File')));
    let sound: Sound;
    if ('arrayBuffer' in audio) {
      sound = readWav(new Uint8Array(await audio.arrayBuffer()));
      if (sampleRate !== undefined && sampleRate !== sound.sampleRate)
        refuse('invalid-argument', call, 'sampleRate', `${sound.sampleRate}, which the file says`, sampleRate);
    } else sound = { sampleRate: sampleRate ?? this.sampleRate, samples: audio };
    if (!sound.samples.length) refuse('invalid-argument', call, 'audio', 'samples', 'none');
    const wrong = sound.samples.findIndex((sample) => !Number.isFinite(sample));
    if (wrong >= 0) refuse('invalid-argument', call, 'audio', `a number as sample ${wrong}`, sound.samples[wrong]);
    return resample(sound.samples, sound.sampleRate, this.sampleRate);
  }

  /**
   * Streams what is said, a segment at a time, from a WAV file or from samples of one channel, -1 to 1, of any length: in windows of what the
   * model is made for, each from where the last whole segment ended. Errors: `invalid-argument`, `invalid-file`, `aborted`, `disposed`,
   * `device-lost`; `not-found` where there is no tokenizer.json.
   */
  async *transcribe(
    audio: Float32Array | Blob,
    options: TranscribeOptions = {},
  ): AsyncGenerator<Segment, Transcription> {
    checkOptions('transcribe', options, TRANSCRIBE_RULES);
    const { tokenizer } = this;
    const how = this.#how(options);
    const asked = this.#languageOf(options);
    const samples = await this.#sound('transcribe', audio, options.sampleRate);
    const { frames, data } = await this.#spectrogram(samples, how.signal);
    const { mels, hop, rate } = this.mel;
    const window = this.#mel.frames;
    const heard = Math.min(frames, Math.ceil(samples.length / hop));
    const segments: Segment[] = [];
    const plain = (ids: readonly number[]): string => {
      const special = new Set(tokenizer.specialTokenIds);
      return tokenizer.decode(ids.filter((id) => id < this.generation.noTimes && !special.has(id)));
    };
    let language = asked;
    let certain = true;
    for (let seek = 0; seek < heard; ) {
      const count = Math.min(window, frames - seek);
      const features = new Float32Array(window * mels);
      features.set(data.subarray(seek * mels, (seek + count) * mels));
      const before = how.conditionOnPrevious && certain ? segments.map(({ tokens }) => tokens) : [];
      const work = async (): Promise<Written> => {
        const encoder = await this.encoderSession(this.typicalTokens);
        await encoder.run({ features }, { signal: how.signal, outputs: [] });
        language ??= await this.#detected(how.signal);
        return this.#window(before, language, how);
      };
      const written = await this.turns.take(() => this.recovering(work));
      certain = written.temperature < UNCERTAIN;
      const { parts, next } = how.timestamps
        ? partsOf(written.tokens, this.generation.noTimes + 1, seek, count)
        : wholeOf(written.tokens, seek, Math.min(count, heard - seek));
      seek += written.silent ? count : next;
      if (written.silent) continue;
      for (const { start, end, tokens } of parts) {
        const { temperature, logProbability, noSpeech } = written;
        const segment = { start, end, text: plain(tokens), tokens, temperature, logProbability, noSpeech };
        segments.push(segment);
        yield segment;
        this.goesOn(how.signal);
      }
    }
    const text = segments
      .map((segment) => segment.text)
      .join('')
      .trim();
    const named = language === undefined ? undefined : this.#nameOf(language);
    return { text, language: named, duration: samples.length / rate, segments };
  }

  #how(options: TranscribeOptions): How {
    const said = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const all = { ...TRANSCRIBE_DEFAULTS, ...this.generation.defaults, ...said } as TranscribeOptions;
    const { temperature, seed = Math.floor(Math.random() * 2 ** 32), task = 'transcribe' } = all;
    if (options.timestamps === undefined) all.timestamps = true;
    const how = { ...all, task, temperatures: [temperature!].flat() as number[], random: createRandom(seed) };
    return how as unknown as How;
  }

  /** The token of the language that is asked for. Error: `invalid-argument`. */
  #languageOf({ language, task }: TranscribeOptions): number | undefined {
    const { languages, tasks } = this.generation;
    if (task && task !== 'transcribe' && !tasks?.[task])
      refuse('invalid-argument', 'transcribe', 'task', "'transcribe', which the model is made for", task);
    if (language === undefined) return undefined;
    const token = languages?.[`<|${language}|>`];
    if (token !== undefined) return token;
    const known = this.languages.length ? this.languages.join(', ') : 'nothing: the model knows English alone';
    return refuse('invalid-argument', 'transcribe', 'language', known, language);
  }

  #nameOf(token: number): string | undefined {
    const entries = Object.entries(this.generation.languages ?? {});
    return entries.find(([, id]) => id === token)?.[0].slice(2, -2);
  }

  /** The token of the language of the window that was encoded. Undefined for a model of English alone. */
  async #detected(signal: AbortSignal | undefined): Promise<number | undefined> {
    const { languages, start } = this.generation;
    if (!languages) return undefined;
    const logits = await this.read([start], 0, signal);
    return Object.values(languages).reduce((best, id) => (logits[id]! > logits[best]! ? id : best));
  }

  /** The text of the window that was encoded, at the first temperature at which it fails no threshold. */
  async #window(before: readonly (readonly number[])[], language: number | undefined, how: How): Promise<Written> {
    const { start, noTimes, tasks } = this.generation;
    const prefix = [language ?? [], tasks?.[how.task] ?? [], how.timestamps ? [] : noTimes].flat();
    const previous = this.#previous(before);
    let written: Written | undefined;
    for (const temperature of how.temperatures) {
      const logits = await this.read([...previous, start], 0, how.signal);
      const noSpeech = probability(logits, noTimes - 1);
      const { tokens, logProbability } = await this.#draw([...previous, start], prefix, logits, temperature, how);
      const uncertain = logProbability < how.logProbabilityThreshold;
      const silent = uncertain && noSpeech > how.noSpeechThreshold;
      const repeats = (await compressionRatio(tokens, this.shape.vocabulary)) > how.compressionRatioThreshold;
      const ended = tokens.at(-1) === this.generation.end;
      written = { tokens: ended ? tokens.slice(0, -1) : tokens, temperature, logProbability, noSpeech, silent };
      if (silent || !(uncertain || repeats)) break;
    }
    return written!;
  }

  /** What a window goes on from: the end of the text before it. */
  #previous(segments: readonly (readonly number[])[]): readonly number[] {
    const { previous, noTimes } = this.generation;
    if (!segments.length || previous === undefined) return [];
    const isTime = (id: number | undefined): boolean => id !== undefined && id > noTimes;
    const whole = segments.flatMap((tokens) =>
      tokens.length > 2 && isTime(tokens.at(-1)) && isTime(tokens.at(-2)) ? tokens.slice(0, -1) : tokens,
    );
    return [previous, ...whole.slice(1 - (this.shape.decoder.length >> 1))];
  }

  /** Tokens up to the end of the text, which is among them, and the mean of their log-probabilities. */
  async #draw(
    begun: readonly number[],
    prefix: readonly number[],
    first: Float32Array,
    temperature: number,
    { timestamps, random, signal }: How,
  ): Promise<{ tokens: number[]; logProbability: number }> {
    const { end, most = Number.POSITIVE_INFINITY } = this.generation;
    const rules = new WindowRules(this.generation, timestamps);
    let position = begun.length + prefix.length;
    let logits = prefix.length ? await this.read(prefix, begun.length, signal) : first;
    const count = Math.min(this.shape.decoder.length - position, most);
    const tokens: number[] = [];
    let sum = 0;
    while (tokens.length < count) {
      rules.apply(logits, tokens);
      const { token, logProbability } = draw(logits, temperature, random);
      tokens.push(token);
      sum += logProbability;
      if (token === end || tokens.length === count) break;
      logits = await this.read([token], position++, signal);
    }
    return { tokens, logProbability: sum / Math.max(1, tokens.length) };
  }
}

/** How many times as small zlib makes token ids, each of as many bytes as the vocabulary needs. */
async function compressionRatio(tokens: readonly number[], vocabulary: number): Promise<number> {
  const size = Math.floor(Math.log2(vocabulary) / 8) + 1;
  const bytes = Uint8Array.from(
    { length: tokens.length * size },
    (_, i) => tokens[Math.floor(i / size)]! >> (8 * (i % size)),
  );
  const packed = new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate')));
  return bytes.length / (await packed.arrayBuffer()).byteLength;
}
