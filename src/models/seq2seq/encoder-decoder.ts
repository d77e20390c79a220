import { type BuildOptions, buildSession, planOf, precompile } from '../../build/build.ts';
import { TilewrightError, throwIfAborted } from '../../errors.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { Turns } from '../../gpu/turns.ts';
import { loadOps } from '../../graph/groups/index.ts';
import type { Graph } from '../../graph/ir.ts';
import type { Plan } from '../../graph/plan.ts';
import { readJson } from '../../hub/folder.ts';
import type { Session, TensorInput } from '../../runtime/session.ts';
import { fromHalf } from '../../tensor/half.ts';
import type { TensorData } from '../../tensor/types.ts';
import type { Tokenizer } from '../../text/tokenizer.ts';
import { layerNodes } from '../layers.ts';
import { LoadedModel, type LoadOptions, type ModelFiles, macsOf, type OpenOptions } from '../model.ts';
import type { Seq2SeqFamily } from './config.ts';
import { seq2seqModule } from './families/index.ts';
import { type EncoderOptions, Seq2SeqGraph, type StepOptions } from './graph.ts';
import type { Seq2SeqShape } from './shape.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What an encoder-decoder is made from, read. */
export interface Seq2SeqParts {
  readonly family: Seq2SeqFamily;
  readonly tokenizer: Tokenizer | undefined;
  /** generation_config.json, where there is one, and the same fields of config.json where there is none. */
  readonly generation: Fields | undefined;
}

/** Groups of ops that the graphs have. */
const GROUPS = ['text', 'movement', 'join', 'normalization', 'image', 'math'] as const;

/** Tokens of a chunk of a text that is known. */
const CHUNK = 16;

/** Reads what the graphs are made from: no tensor is read yet. Errors: those of the family and of the tokenizer. */
export async function readParts(files: ModelFiles, options: LoadOptions): Promise<Seq2SeqParts> {
  await loadOps(GROUPS);
  const { family: read } = await seq2seqModule(files);
  const family = read(files, options);
  if (family.shape.gated) await loadOps(['decoder']);
  const [json, config, generation] = await Promise.all(
    ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json'].map((file) =>
      readJson(files.folder, file, options.signal),
    ),
  );
  const limits = { vocabulary: family.shape.vocabulary, context: family.shape.decoder.length, cuts: true };
  const tokenizer = json && (await (await import('../../text/tokenizer.ts')).loadTokenizer(json, config, limits));
  return { family, tokenizer, generation };
}

/** An encoder-decoder on the device: the encoder's sessions write the states that the decoder's read. */
export abstract class EncoderDecoder extends LoadedModel {
  readonly architecture: string;
  /** @internal */
  readonly shape: Seq2SeqShape;
  readonly parameters: number;
  protected macs = 0;
  /** Inputs take turns: there is one set of states. */
  protected readonly turns = new Turns();
  readonly #tokenizer: Tokenizer | undefined;

  protected constructor(
    gpu: Gpu,
    files: ModelFiles,
    options: LoadOptions,
    protected readonly parts: Seq2SeqParts,
  ) {
    super(gpu, files, options);
    this.architecture = parts.family.architecture;
    this.shape = parts.family.shape;
    this.parameters = parts.family.weights.parameters;
    this.#tokenizer = parts.tokenizer;
  }

  /** Whose input and text the states have; undefined while they change. */
  protected owner: object | undefined;

  /** @internal */
  override moveTo(gpu: Gpu): void {
    this.owner = undefined;
    super.moveTo(gpu);
  }

  /** Builds what every input needs, or nothing on paper. Error: `unused-tensor`; then nothing stays on the device. */
  protected async start(options: OpenOptions): Promise<this> {
    try {
      const { encode, decode } = this.graphs() as { encode: Graph; decode: Graph };
      if (!options.allowUnused) this.parts.family.weights.needAllTaken();
      this.#checkTypes(encode, decode);
      if (options.onPaper) return this;
      this.precompile([decode]);
      await this.encoderSession(this.typicalTokens, options);
      await this.stepSession({ tokens: 1, predict: 'logits' }, options);
      this.macs = await macsOf(decode);
      return this;
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Types are of the layers that a graph has. Error: `invalid-argument` for a layer that neither graph has. */
  #checkTypes(...graphs: readonly Graph[]): void {
    const { weights } = this.how;
    if (typeof weights !== 'object') return;
    const known = graphs.flatMap(layersOf);
    const unknown = Object.keys(weights).find((key) => key !== 'default' && !known.some((name) => names(key, name)));
    if (unknown === undefined) return;
    throw new TilewrightError('invalid-argument', `there is no layer '${unknown}'`, {
      hint: `Layers are ${[...new Set(known)].join(', ')}.`,
    });
  }

  override plan(graph: Graph): Promise<Plan> {
    return planOf(this.gpu, graph, this.howFor(graph));
  }

  protected override precompile(graphs: readonly Graph[]): void {
    for (const graph of graphs) precompile(this.gpu, graph, this.howFor(graph));
  }

  /** @internal */
  override buildOn(gpu: Gpu, graph: Graph, options: BuildOptions = {}): Promise<Session> {
    return buildSession(gpu, graph, { ...this.howFor(graph), ...options });
  }

  /** How a graph of the model is built: with the types of its own layers. */
  protected howFor(graph: Graph): BuildOptions {
    const { weights } = this.how;
    if (typeof weights !== 'object') return this.how;
    const known = layersOf(graph);
    const own = Object.entries(weights).filter(([key]) => key === 'default' || known.some((name) => names(key, name)));
    return { ...this.how, weights: Object.fromEntries(own) as typeof weights };
  }

  /** Error: `unsupported-option`. The errors of a decoder's layers depend on what its encoder gave, which a report does not run. */
  override report(): Promise<never> {
    const message = `${this.files.name}: there is no report of an encoder-decoder`;
    return Promise.reject(new TilewrightError('unsupported-option', message));
  }

  /** Tokens, or states, of an encoder's typical run. */
  protected abstract readonly typicalTokens: number;

  /** Errors: `not-found` where the folder has no tokenizer.json. */
  get tokenizer(): Tokenizer {
    if (this.#tokenizer) return this.#tokenizer;
    const message = `${this.files.name} has no tokenizer.json: what its tokens say is not known`;
    throw new TilewrightError('not-found', message, {
      hint: 'AutoTokenizer.from_pretrained(NAME).save_pretrained(FOLDER) of transformers writes one where it can.',
    });
  }

  graphs(): Readonly<Record<string, Graph>> {
    return {
      encode: this.encoderGraph(this.typicalTokens, 'cross'),
      decode: this.decoderGraph({ tokens: 1, predict: 'logits' }),
    };
  }

  /** @internal For `tokens` tokens, or for a window of audio: the last states, or what the decoder reads of them. */
  encoderGraph(tokens: number, give: EncoderOptions['give'], dataType = this.dataType): Graph {
    const { weights, shape, tables } = this.parts.family;
    return Seq2SeqGraph.encoder(weights, shape, tables, { dataType, tokens, give });
  }

  /** @internal For a chunk of tokens of the text that is written. */
  decoderGraph(options: Omit<StepOptions, 'dataType'>, dataType = this.dataType): Graph {
    const { weights, shape, tables } = this.parts.family;
    return Seq2SeqGraph.decoder(weights, shape, tables, { dataType, ...options });
  }

  /** Decoding is profiled in the middle of the context: attention reads half of the keys. */
  typicalInputs(plan: string): Readonly<Record<string, TensorInput>> {
    const { audio, encoder, decoder, vocabulary } = this.shape;
    if (plan === 'decode') return { tokens: [1 % vocabulary], positions: [decoder.length >> 1] };
    if (audio) {
      const features = Float32Array.from({ length: 2 * encoder.length * audio.mels }, (_, i) => Math.sin(i));
      return { features };
    }
    const tokens = Uint32Array.from({ length: this.typicalTokens }, (_, i) => (i * 7919) % vocabulary);
    return { tokens, mask: this.maskFor(tokens.length) };
  }

  /** What is added to the scores of an input of `count` tokens: 0, and as much as hides what comes after them. */
  protected maskFor(count: number): readonly number[] {
    const hidden = this.dataType === 'float16' ? -6e4 : -1e30;
    return Array.from({ length: this.shape.encoder.length }, (_, i) => (i < count ? 0 : hidden));
  }

  protected encoderSession(tokens: number, options: LoadOptions = {}): Promise<Session> {
    return this.session(`encode ${tokens}`, () => this.encoderGraph(tokens, 'cross'), options);
  }

  protected stepSession(step: Omit<StepOptions, 'dataType'>, options: LoadOptions = {}): Promise<Session> {
    const { tokens, beams = 1, predict } = step;
    const name = `decode ${tokens}${beams > 1 ? ` of ${beams}` : ''} ${predict}`;
    return this.session(name, () => this.decoderGraph(step), options);
  }

  /** Reads tokens from a position on. The logits after the last of them. */
  protected async read(tokens: readonly number[], from: number, signal?: AbortSignal): Promise<Float32Array> {
    let logits = new Float32Array();
    for (let done = 0; done < tokens.length; ) {
      const left = tokens.length - done;
      const size = left > CHUNK / 2 && from + done + CHUNK <= this.shape.decoder.length ? CHUNK : 1;
      const count = Math.min(size, left);
      const session = await this.stepSession({ tokens: size, predict: 'logits' });
      const each = Array.from({ length: size }, (_, i) => i);
      const inputs = {
        tokens: each.map((i) => tokens[done + i] ?? 0),
        positions: each.map((i) => from + done + i),
        ...(size > 1 && { last: [count - 1] }),
      };
      done += count;
      const outputs = done < tokens.length ? [] : ['logits'];
      const result = await session.run(inputs, { signal, outputs });
      this.goesOn(signal);
      if (outputs.length) logits = this.floats(result['logits']!);
    }
    return logits;
  }

  protected floats(data: TensorData): Float32Array<ArrayBuffer> {
    return this.dataType === 'float16'
      ? Float32Array.from(data as Uint16Array, fromHalf)
      : (data as Float32Array<ArrayBuffer>);
  }

  /** Errors: `disposed`, `aborted`. */
  protected goesOn(signal?: AbortSignal): void {
    if (this.disposed) throw new TilewrightError('disposed', `the model ${this.files.name} was disposed of`);
    throwIfAborted(signal, 'generating');
  }
}

const layersOf = (graph: Graph): string[] => layerNodes(graph).map(({ layer }) => layer.name);

/** Whether a key of a dtype means this layer. */
const names = (key: string, layer: string): boolean => `.${layer}.`.includes(`.${key}.`);
