import { TilewrightError, throwIfAborted } from '../errors.ts';
import type { OnnxModel, OnnxType, OnnxValueInfo } from '../formats/onnx-model.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { loadOps } from '../graph/groups/index.ts';
import { type Graph, isInput, type NamedOptions, type Operand, topological } from '../graph/ir.ts';
import type { Calibration } from '../graph/passes/activations.ts';
import type { Folder } from '../hub/folder.ts';
import type { CalibrationOptions } from '../models/calibration.ts';
import { LoadedModel, type LoadOptions, macsOf, type OpenOptions } from '../models/model.ts';
import { signal as aSignal, checkOptions, fn, list, object, text } from '../options.ts';
import { recogniser } from '../patterns/index.ts';
import type { DeviceInput, Session, TensorInput } from '../runtime/session.ts';
import type { OnProgress } from '../tensor/progress.ts';
import { type DataType, elementCount, formatShape, type TensorData } from '../tensor/types.ts';
import type { CachedRun, Caches } from './caches.ts';
import { checkpointOf, checkSupported, nodesOf, parametersOf, smallNumbers, typeName } from './contents.ts';
import type { Feedback, Handed } from './feedback.ts';
import { CHECKS, Graphs, type Lowered, type Lowering } from './graphs.ts';
import { lowerings } from './lower/index.ts';
import { keyOf } from './lowerer.ts';
import type { GraphNode, GraphValue } from './nodes.ts';
import {
  bind,
  fromDevice,
  type Given,
  type GraphInputs,
  type GraphOutput,
  isOnDevice,
  numbersFor,
  resultOf,
} from './run-tensors.ts';
import type { Scalar, Tensor, Value } from './values.ts';

/** What a run of an ONNX model gives, and where it goes. */
export interface GraphRunOptions {
  /** Ends the run with `aborted`. */
  signal?: AbortSignal | undefined;
  /** Outputs to read back; all where absent, but for those of `copy`. */
  outputs?: readonly string[];
  /** Outputs to copy into a buffer on the engine's device (usage COPY_DST), as they are there (`GraphBuffer`). */
  copy?: Readonly<Record<string, GPUBuffer>>;
  /** Of weights and kernels, where shapes are new. */
  onProgress?: OnProgress;
}

/** What a run is asked for. */
interface Asked extends Pick<GraphRunOptions, 'signal' | 'onProgress'> {
  readonly wanted: readonly string[];
  readonly copy: Readonly<Record<string, GPUBuffer>>;
}

/** An ONNX model. Its graph is lowered for the shapes of each run, and sessions of the last few are kept. */
export class GraphModel extends LoadedModel {
  readonly task = 'graph';
  readonly architecture = 'onnx';
  /** What a run takes. */
  readonly inputs: readonly GraphValue[];
  /** What a run gives. */
  readonly outputs: readonly GraphValue[];
  readonly parameters: number;
  protected macs = 0;
  readonly #graphs: Graphs;
  /** What comes back from the run before, where the load asked for that. */
  #feedback: { readonly kept: Feedback; readonly caches: Caches } | undefined;

  private constructor(
    gpu: Gpu,
    folder: Folder,
    /** @internal */
    readonly model: OnnxModel,
    graphs: (float: DataType) => Graphs,
    private readonly bound: Readonly<Record<string, number>>,
    options: LoadOptions,
  ) {
    super(gpu, { name: model.name, folder, checkpoint: checkpointOf(model), config: undefined }, options);
    const { graph } = model;
    const defaults = new Set(graph.initializers.map(({ name }) => name));
    const value = ({ name, type }: OnnxValueInfo): GraphValue => ({
      name,
      type: typeName(type),
      dims: type?.kind === 'tensor' ? type.dims : undefined,
    });
    this.inputs = graph.inputs.filter(({ name }) => !defaults.has(name)).map(value);
    this.outputs = graph.outputs.map(value);
    this.#graphs = graphs(this.dataType);
    this.#checkDims();
    this.parameters = parametersOf(model);
  }

  static async load(gpu: Gpu, folder: Folder, model: OnnxModel, options: OpenOptions): Promise<GraphModel> {
    const { signal, onProgress, onPaper, dims = {} } = options;
    checkSupported(model);
    await loadOps(['numbers']);
    const ops = nodesOf(model).map(keyOf);
    const recognise = await recogniser(ops);
    const table = await lowerings(new Set(ops));
    const files = await smallNumbers(model, signal);
    const graphs = (float: DataType): Graphs => new Graphs(model, table, recognise, files, float);
    const made = new GraphModel(gpu, folder, model, graphs, dims, options);
    try {
      if (options.feedback) await made.#feedBack(options.feedback);
      const fixed = made.inputs.every(({ type, dims }) => type !== 'string' && dims && made.#dimsOf(dims));
      if (fixed) await made.#warm({ signal, onProgress, onPaper });
      return made;
    } catch (error) {
      made.dispose();
      throw error;
    }
  }

  /** Outputs by name that become inputs. Errors: those of `feedbackOf`. */
  async #feedBack(given: Readonly<Record<string, string>>): Promise<void> {
    const [{ Feedback, feedbackOf }, { Caches }] = await Promise.all([import('./feedback.ts'), import('./caches.ts')]);
    const kept = new Feedback(this.gpu, feedbackOf(given, this.outputs, this.inputs));
    const caches = new Caches({
      inputs: this.inputs,
      feedback: kept.sources,
      graphs: this.#graphs,
      outputShape: (name, outputs) => {
        const value = outputs[Number(this.#place(name))];
        return value?.kind === 'tensor' ? value.shape : [];
      },
    });
    if (kept.sources.size) this.#feedback = { kept, caches };
  }

  /** Builds what is fixed by the file: where all dimensions are known, and no number decides what the graph is. */
  async #warm({ onPaper, ...options }: Pick<OpenOptions, 'signal' | 'onProgress' | 'onPaper'>): Promise<void> {
    const inputs = new Map<string, Given>();
    for (const { name, type, dims } of this.inputs)
      inputs.set(name, { type: type as OnnxType, dims: this.#dimsOf(dims!)!, values: [] });
    const { graph, needs } = await this.#graphs.lowered(inputs, new Map(), false);
    if (!graph || needs || onPaper) return;
    this.macs = await macsOf(graph);
    await this.withSession(
      this.#graphs.key(inputs, new Map()),
      () => graph,
      async () => {},
      options,
    );
  }

  /** Error: `invalid-argument` for a symbol that no input has. */
  #checkDims(): void {
    const symbols = symbolsOf(this.inputs);
    for (const symbol of Object.keys(this.bound))
      if (!symbols.includes(symbol))
        throw new TilewrightError(
          'invalid-argument',
          `dims: no input of ${this.title} has the dimension '${symbol}' (${symbols.join(', ') || 'all are numbers'})`,
        );
  }

  /** Symbols that the load gave no number. */
  get openDims(): string[] {
    return symbolsOf(this.inputs).filter((symbol) => this.bound[symbol] === undefined);
  }

  #dimsOf(dims: readonly (number | string)[]): number[] | undefined {
    const made = dims.map((size) => (typeof size === 'number' ? size : this.bound[size]));
    return made.every((size) => size !== undefined) ? (made as number[]) : undefined;
  }

  /**
   * Runs once. Runs may overlap. Errors: `invalid-argument` for a name that is missing or not known, `wrong-shape`,
   * `wrong-type`, `unsupported-type` for an integer of more than 32 bits, `unsupported-op`, `aborted`, `disposed`.
   */
  async run(inputs: GraphInputs, options: GraphRunOptions = {}): Promise<Record<string, GraphOutput>> {
    this.alive();
    checkOptions('run', options, { signal: aSignal, outputs: list(text), copy: object, onProgress: fn });
    throwIfAborted(options.signal, 'the run');
    // The caller's buffers are on the device that they were made on.
    const own = !Object.keys(options.copy ?? {}).length && !Object.values(inputs ?? {}).some(isOnDevice);
    const run = (): Promise<Record<string, GraphOutput>> => this.recovering(() => this.#run(inputs, options), own);
    return this.#feedback?.kept.turns.take(run) ?? run();
  }

  /** Forgets what `feedback` keeps from run to run: the next begins with zeros. */
  reset(): void {
    this.#feedback?.kept.reset();
  }

  async #run(
    inputs: GraphInputs,
    {
      copy = {},
      outputs: wanted = this.outputs.map(({ name }) => name).filter((name) => !(name in copy)),
      ...how
    }: GraphRunOptions,
  ): Promise<Record<string, GraphOutput>> {
    this.alive();
    for (const name of [...wanted, ...Object.keys(copy)])
      if (!this.outputs.some((output) => output.name === name))
        throw new TilewrightError(
          'invalid-argument',
          `there is no output '${name}' (${this.outputs.map(({ name }) => name).join(', ')})`,
        );
    const given = this.#given(inputs);
    const found = new Map<string, readonly Scalar[]>();
    const asked = { ...how, wanted, copy };
    const inPlace = await this.#inPlace(given, asked);
    if (inPlace) return inPlace;
    for (;;) {
      const lowered = await this.#graphs.lowered(given, found);
      const { outputs, needs } = lowered;
      const name = `${this.#graphs.key(given, found)}${needs ? ` until ${needs.key}` : ''}`;
      const results = await this.#compute(name, lowered, given, asked);
      if (!needs) return this.#named(outputs, results, wanted, Object.keys(copy));
      found.set(
        needs.key,
        Array.from(results['needed']!, (value) => fromDevice(needs.type, value)),
      );
    }
  }

  /** A run whose cache is written in place. Undefined where there is none, or where such an output is asked for. */
  async #inPlace(given: ReadonlyMap<string, Given>, asked: Asked): Promise<Record<string, GraphOutput> | undefined> {
    if (!this.#feedback) return undefined;
    const { kept, caches } = this.#feedback;
    const back = [...kept.sources.values()];
    if (back.some((output) => asked.wanted.includes(output) || output in asked.copy)) return undefined;
    const run = await caches.find(given, async () => {
      const { outputs, needs } = await this.#graphs.lowered(given, new Map());
      return needs ? undefined : outputs;
    });
    if (!run) return undefined;
    const { name, cache } = run;
    // What the host knows of the length, or what grows with it, is that of a full cache.
    const names = [...asked.wanted, ...Object.keys(asked.copy)];
    if (!names.every((output) => this.#place(output) in cache.graph.outputs)) return undefined;
    const { outputs, checks } = cache.full;
    const results = await this.#compute(name, { graph: cache.graph, outputs, checks }, run.given, asked, run);
    return this.#named(outputs, results, asked.wanted, Object.keys(asked.copy));
  }

  /** The name that an output of the model has in graphs. */
  #place(name: string): string {
    return `${this.outputs.findIndex((output) => output.name === name)}`;
  }

  /** Names of outputs, with what the device and the host computed. */
  #named(
    outputs: readonly Value[],
    results: Readonly<Record<string, TensorData>>,
    wanted: readonly string[],
    copied: readonly string[],
  ): Record<string, GraphOutput> {
    const named = this.outputs.flatMap(({ name }, i): [string, GraphOutput][] => {
      if (wanted.includes(name)) return [[name, resultOf(outputs[i]!, `${i}`, results)]];
      const { type, shape } = outputs[i] as Tensor;
      return copied.includes(name) ? [[name, { type, dims: shape, data: [] }]] : [];
    });
    return Object.fromEntries(named);
  }

  async #compute(
    name: string,
    { graph, needs, checks = [], outputs: values }: Lowered,
    given: ReadonlyMap<string, Given>,
    { wanted, copy, ...how }: Asked,
    inPlace?: CachedRun,
  ): Promise<Record<string, TensorData>> {
    const asked = needs
      ? []
      : Object.entries(copy).map(([name, buffer]) => ({ name, place: this.#place(name), buffer }));
    const copies = asked.length ? (await import('./buffers.ts')).targetsOf(this.gpu, asked, values, this.dataType) : {};
    if (!graph) return {};
    const isWanted = (place: string): boolean =>
      needs !== undefined || place === CHECKS || wanted.includes(this.outputs[Number.parseInt(place, 10)]!.name);
    const work = async (session: Session): Promise<Record<string, TensorData>> => {
      const kept = this.#feedback?.kept;
      const inputs: Record<string, TensorInput | DeviceInput> = { ...inPlace?.numbers };
      const back = new Map<string, Operand>();
      for (const [input, state] of inPlace?.cache.states ?? []) kept!.move(input, session.bufferOf(state), state);
      for (const [name, operand] of session.plan.inputs) {
        if (inputs[name]) continue;
        const { type, dims, values, buffer } = given.get(name)!;
        if (values) inputs[name] = numbersFor(name, type, dims, values, operand.dataType);
        else if (buffer)
          inputs[name] = (await import('../runtime/device-tensors.ts')).tensorIn(`input ${name}`, buffer, operand);
        else back.set(name, operand);
      }
      if (back.size) kept!.give(session, back);
      const outputs = [...session.plan.outputs.keys()].filter(isWanted);
      const results = await session.run<TensorData>(inputs, { signal: how.signal, outputs, copy: copies });
      const raised = results[CHECKS]?.findIndex((flag) => flag !== 0) ?? -1;
      if (raised >= 0)
        throw new TilewrightError(
          'unsupported-type',
          `${checks[raised]}: an integer is larger than is exact here: 32 bits, or 24 in a product of matrices`,
          {
            hint: 'The GPU has no 64-bit integers: give smaller values.',
          },
        );
      for (const { name, axis } of inPlace?.fed ?? []) kept!.grow(name, axis, inPlace!.rows);
      if (kept && !needs && !inPlace) kept.keep(session, this.#next(graph, kept.sources));
      return results;
    };
    return this.withSession(name, () => graph, work, how);
  }

  /** What the outputs of a graph are for the next run, by the input that each becomes. Error: `unsupported-option` for one of the host. */
  #next(graph: Graph, sources: ReadonlyMap<string, string>): ReadonlyMap<string, Handed> {
    const found = [...sources].map(([input, name]) => {
      const output = this.#place(name);
      const tensor = graph.outputs[output];
      if (!tensor) throw new TilewrightError('unsupported-option', `feedback: '${name}' is not computed on the device`);
      return [input, { output, tensor }] as const;
    });
    return new Map(found);
  }

  /** The inputs of a run, checked against the model, with their dimensions. */
  #given(inputs: GraphInputs): Map<string, Given> {
    if (!object[1](inputs)) throw new TilewrightError('invalid-argument', 'run: expected an object of inputs by name');
    const names = this.inputs.map(({ name }) => name);
    const known = new Set(this.model.graph.inputs.map(({ name }) => name));
    for (const name of Object.keys(inputs))
      if (!known.has(name))
        throw new TilewrightError(
          'invalid-argument',
          `there is no input '${name}' (${names.join(', ') || 'the model takes none'})`,
        );
    const symbols = new Map(Object.entries(this.bound));
    const given = new Map<string, Given>();
    const kept = this.#feedback?.kept;
    const comesBack = (name: string): boolean => kept?.sources.has(name) === true && inputs[name] === undefined;
    // What comes back from the run before takes its symbols from the inputs that are given.
    const last = ({ name }: OnnxValueInfo): number => Number(comesBack(name));
    for (const { name, type } of [...this.model.graph.inputs].sort((a, b) => last(a) - last(b))) {
      const input = inputs[name];
      if (input === undefined) {
        if (!names.includes(name)) continue; // an initialiser is its default
        if (comesBack(name) && type?.kind === 'tensor') {
          kept!.check();
          given.set(name, this.#fed(name, type.type, type.dims ?? [], symbols));
          continue;
        }
        throw new TilewrightError(
          'invalid-argument',
          `the input '${name}' is missing: ${typeName(type)}${type?.kind === 'tensor' && type.dims ? formatShape(type.dims as number[]) : ''}`,
        );
      }
      if (type?.kind !== 'tensor')
        throw new TilewrightError('unsupported-type', `the input '${name}' is ${typeName(type)}, not a tensor`);
      given.set(name, bind(name, type.type, type.dims, input, symbols));
    }
    return given;
  }

  /** What the run before left for an input; zeros at first. Symbols that nothing binds are 0, sizes without a name 1. */
  #fed(
    name: string,
    type: OnnxType,
    declared: readonly (number | string)[],
    symbols: ReadonlyMap<string, number>,
  ): Given {
    const dims =
      this.#feedback!.kept.dims(name) ??
      declared.map((size) => (typeof size === 'number' ? size : (symbols.get(size) ?? (size === '' ? 1 : 0))));
    return { type, dims, values: undefined };
  }

  protected override release(): void {
    this.#feedback?.kept.free();
    super.release();
  }

  override moveTo(gpu: Gpu): void {
    this.#feedback?.kept.moveTo(gpu);
    super.moveTo(gpu);
  }

  graphs(): Readonly<Record<string, Graph>> {
    const inPlace = (this.#feedback?.caches.all() ?? []).map(([name, { graph }]): [string, Graph] => [name, graph]);
    const named = [...this.#graphs.kept].flatMap(([key, { graph }]): [string, Graph][] =>
      graph ? [[key, graph]] : [],
    );
    if (!named.length) {
      const open = this.openDims;
      const why = open.length
        ? `the dimensions ${open.map((symbol) => symbol || '?').join(', ')} are not known`
        : 'what it computes depends on its inputs';
      throw new TilewrightError('invalid-argument', `${this.title} has no plan: ${why}`, {
        hint: open.length ? 'Run it once, or load it with { dims }.' : 'Run it once.',
      });
    }
    return Object.fromEntries([...named, ...inPlace].reverse());
  }

  /**
   * The scales of the layers' inputs over samples, inputs of one run each: for `activations: 'static'`. All samples have
   * the same shapes. Errors: those of `run`; `invalid-argument` without a sample; `unsupported-option` where what the
   * graph is depends on what it computes.
   */
  async calibrate(
    samples: Iterable<GraphInputs> | AsyncIterable<GraphInputs>,
    options: CalibrationOptions = {},
  ): Promise<Calibration> {
    this.alive();
    const { samplesFor } = await import('./samples.ts');
    const { graph, inputs } = await samplesFor(samples, {
      title: this.title,
      given: (sample) => this.#given(sample),
      lowered: (given) => this.#graphs.lowered(given, new Map()),
      key: (given) => this.#graphs.key(given, new Map()),
    });
    return this.calibrateOn(graph, inputs, options);
  }

  /** What lowers the file again, as for a plan of `graphs()`, and the values that it begins with. */
  #again(plan: string | undefined): Lowering {
    const names = Object.keys(this.graphs());
    const name = plan ?? names[0]!;
    const cache = this.#feedback?.caches.all().find(([own]) => own === name)?.[1];
    const wanted = cache ? { given: cache.full.given, found: new Map() } : this.#graphs.kept.get(name)?.wanted;
    if (!wanted) throw new TilewrightError('invalid-argument', `there is no plan '${name}' (${names.join(', ')})`);
    return this.#graphs.lowerer(wanted);
  }

  /**
   * The nodes of the file in the order in which they are computed, at the shapes of a plan of `graphs()`: of the last
   * run where absent. Loops are unrolled, functions are in the places of their calls. Error: `invalid-argument`.
   */
  async nodes(plan?: string): Promise<GraphNode[]> {
    const { lowerer, inputs } = this.#again(plan);
    return (await import('./nodes.ts')).nodesOf(lowerer, inputs);
  }

  /**
   * A node alone, as an ONNX file, at its shapes in a plan: to report what is wrong with it. What the file has of its
   * inputs, or what follows from shapes, is in the file; the other inputs are inputs. Errors: `invalid-argument` where
   * there is no such node; `unsupported-option` for one with graphs inside, or with a sequence.
   */
  async excerpt(
    label: string,
    options: { plan?: string; signal?: AbortSignal } = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    checkOptions('excerpt', options, { plan: text, signal: aSignal });
    const { lowerer, inputs } = this.#again(options.plan);
    const { trace } = await import('./nodes.ts');
    const found = trace(lowerer, inputs).find((node) => node.label === label);
    if (!found) throw new TilewrightError('invalid-argument', `${this.title} has no node '${label}'`);
    return (await import('./excerpt.ts')).excerptOf(found, options.signal);
  }

  /** Error: `unsupported-option`: outputs of a graph have no common measure. */
  override async report(): Promise<never> {
    throw new TilewrightError('unsupported-option', `${this.title}: classifiers and text generators have reports`);
  }

  typicalInputs(plan: string): Readonly<Record<string, TensorInput>> {
    const graph = this.graphs()[plan]!;
    const inputs = topological(graph).filter(isInput);
    return Object.fromEntries(
      inputs.map(({ options, dataType, shape }) => {
        const at = dataType.startsWith('float') ? Math.sin : (i: number) => i % 2;
        return [(options as NamedOptions).name, Array.from({ length: elementCount(shape) }, (_, i) => at(i))];
      }),
    );
  }
}

/** The symbols among the dimensions of inputs, each once; empty for dimensions that the file neither counts nor names. */
const symbolsOf = (inputs: readonly GraphValue[]): string[] => [
  ...new Set(inputs.flatMap(({ dims = [] }) => dims.filter((size) => typeof size === 'string'))),
];
