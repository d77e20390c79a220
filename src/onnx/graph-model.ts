import { TilewrightError, throwIfAborted } from '../errors.ts';
import type { OnnxModel, OnnxTensor, OnnxType, OnnxValueInfo } from '../formats/onnx-model.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { loadingOps, loadOps } from '../graph/groups/index.ts';
import { type Graph, isInput, isLeaf, type NamedOptions, type Operand, operand, topological } from '../graph/ir.ts';
import type { Calibration } from '../graph/passes/activations.ts';
import type { Folder } from '../hub/folder.ts';
import type { CalibrationOptions } from '../models/calibration.ts';
import { LoadedModel, type LoadOptions, macsOf } from '../models/model.ts';
import { signal as aSignal, checkOptions, fn, list, object, text } from '../options.ts';
import { type Recognise, recogniser } from '../patterns/index.ts';
import type { Session, TensorInput } from '../runtime/session.ts';
import type { OnProgress } from '../tensor/progress.ts';
import { elementCount, formatShape, type TensorData } from '../tensor/types.ts';
import type { CachedRun, Caches, TracedOutputs } from './caches.ts';
import { NeedsNumbers } from './call.ts';
import { checkpointOf, checkSupported, nodesOf, parametersOf, smallNumbers, typeName } from './contents.ts';
import type { Feedback } from './feedback.ts';
import { lowerings } from './lower/index.ts';
import { keyOf, type LoweredNode, Lowerer, type Lowerings } from './lowerer.ts';
import type { GraphNode, GraphValue } from './nodes.ts';
import {
  bind,
  fromDevice,
  type Given,
  type GraphInputs,
  type GraphOutput,
  numbersFor,
  resultOf,
} from './run-tensors.ts';
import { isFloating, known, MOST_KNOWN, type Scalar, type Tensor, type Value } from './values.ts';

export interface GraphRunOptions {
  signal?: AbortSignal | undefined;
  /** Outputs to read back; all where absent, but for those of `copy`. */
  outputs?: readonly string[];
  /** Outputs to copy into a buffer on the engine's device (usage COPY_DST), as they are there (`GraphBuffer`). */
  copy?: Readonly<Record<string, GPUBuffer>>;
  /** Of weights and kernels, where shapes are new. */
  onProgress?: OnProgress;
}

/** What a graph was lowered for. Numbers of inputs are kept where they decide what the graph is. */
interface Wanted {
  readonly given: ReadonlyMap<string, Given>;
  readonly found: ReadonlyMap<string, readonly Scalar[]>;
}

/** What lowers the file, and values of its inputs. */
interface Lowering {
  readonly lowerer: Lowerer;
  readonly inputs: ReadonlyMap<string, Value>;
}

/** The graph for one set of shapes. */
interface Lowered {
  /** What the device computes, by names of its own; undefined where it computes nothing. */
  readonly graph: Graph | undefined;
  /** The outputs of the model. */
  readonly outputs: readonly Value[];
  /** Nodes whose flags have to be 0. */
  readonly checks?: readonly string[];
  /** What has to be known before the rest can be lowered. */
  readonly needs?: { readonly key: string; readonly type: OnnxType };
}

/** What a run is asked for. */
interface Asked extends Pick<GraphRunOptions, 'signal' | 'onProgress'> {
  readonly wanted: readonly string[];
  readonly copy: Readonly<Record<string, GPUBuffer>>;
}

interface KeptGraph extends Lowered {
  readonly wanted: Wanted;
}

/** Integers that an input may have for the graph to depend on them; and floats, such as scales. */
const MOST_LATE = { integers: MOST_KNOWN, floats: 32 };
/** Lowered graphs that are kept. */
const MOST_GRAPHS = 16;

/** An ONNX model. Its graph is lowered for the shapes of each run, and sessions of the last few are kept. */
export class GraphModel extends LoadedModel {
  readonly task = 'graph';
  readonly architecture = 'onnx';
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  readonly parameters: number;
  protected macs = 0;
  readonly #graphs = new Map<string, KeptGraph>();
  readonly #shared = new Map<string, TensorData>();
  /** Inputs whose numbers decide what the graph is. */
  readonly #late = new Set<string>();
  /** What comes back from the run before, where the load asked for that. */
  #feedback: { readonly kept: Feedback; readonly caches: Caches } | undefined;

  private constructor(
    gpu: Gpu,
    folder: Folder,
    readonly model: OnnxModel,
    private readonly table: Lowerings,
    private readonly recognise: Recognise,
    private readonly small: ReadonlyMap<OnnxTensor, readonly Scalar[]>,
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
    for (const { name, type } of this.inputs) if (type === 'string') this.#late.add(name); // the host computes with texts
    this.#checkDims();
    this.parameters = parametersOf(model);
  }

  static async load(gpu: Gpu, folder: Folder, model: OnnxModel, options: LoadOptions): Promise<GraphModel> {
    const { signal, onProgress, dims = {} } = options;
    checkSupported(model);
    await loadOps(['numbers']);
    const ops = nodesOf(model).map(keyOf);
    const recognise = await recogniser(ops);
    const table = await lowerings(new Set(ops));
    const files = await smallNumbers(model, signal);
    const made = new GraphModel(gpu, folder, model, table, recognise, files, dims, options);
    try {
      if (options.feedback) await made.#feedBack(options.feedback);
      const fixed = made.inputs.every(({ type, dims }) => type !== 'string' && dims && made.#dimsOf(dims));
      if (fixed) await made.#warm({ signal, onProgress });
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
      decides: (name) => this.#late.has(name),
      trace: (inputs) => this.#traced(inputs),
      outputShape: (name, outputs) => {
        const value = outputs[Number(this.#place(name))];
        return value?.kind === 'tensor' ? value.shape : [];
      },
    });
    if (kept.sources.size) this.#feedback = { kept, caches };
  }

  /** Builds what is fixed by the file: where all dimensions are known, and no number decides what the graph is. */
  async #warm(options: Pick<LoadOptions, 'signal' | 'onProgress'>): Promise<void> {
    const inputs = new Map<string, Given>();
    for (const { name, type, dims } of this.inputs)
      inputs.set(name, { type: type as OnnxType, dims: this.#dimsOf(dims!)!, values: [] });
    const { graph, needs } = await this.#lowered(inputs, new Map(), false);
    if (!graph || needs) return;
    this.macs = await macsOf(this.gpu, graph);
    await this.withSession(
      this.#key(inputs, new Map()),
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
    const run = (): Promise<Record<string, GraphOutput>> => this.#run(inputs, options);
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
      const lowered = await this.#lowered(given, found);
      const { outputs, needs } = lowered;
      const name = `${this.#key(given, found)}${needs ? ` until ${needs.key}` : ''}`;
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
      const { outputs, needs } = await this.#lowered(given, new Map());
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
      const inputs: Record<string, TensorInput> = { ...inPlace?.numbers };
      for (const [input, state] of inPlace?.cache.states ?? []) kept!.move(input, session.bufferOf(state), state);
      for (const [name, operand] of session.plan.inputs) {
        if (inputs[name]) continue;
        const { type, dims, values, buffer } = given.get(name)!;
        if (values) inputs[name] = numbersFor(name, type, dims, values, operand.dataType);
        else if (buffer) await (await import('./buffers.ts')).take(this.gpu, name, buffer, session, operand);
        else kept!.give(session, name, operand);
      }
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
      for (const [input, output] of needs || inPlace ? [] : (kept?.sources ?? [])) {
        const place = this.#place(output);
        const tensor = graph.outputs[place];
        if (!tensor)
          throw new TilewrightError('unsupported-option', `feedback: '${output}' is not computed on the device`);
        kept!.keep(session, place, input, tensor);
      }
      return results;
    };
    return this.withSession(name, () => graph, work, how);
  }

  #key(given: ReadonlyMap<string, Given>, found: ReadonlyMap<string, readonly Scalar[]>): string {
    const shapes = [...given].map(
      ([name, { dims, values }]) => `${name}[${dims}]${this.#late.has(name) && values ? `=${Array.from(values)}` : ''}`,
    );
    return [...shapes, ...[...found].map(([name, values]) => `${name}=${values}`)].join(' ');
  }

  /** The graph for these shapes, and for the numbers that decide what it is. */
  async #lowered(
    given: ReadonlyMap<string, Given>,
    found: ReadonlyMap<string, readonly Scalar[]>,
    late = true,
  ): Promise<Lowered> {
    const key = this.#key(given, found);
    const kept = this.#graphs.get(key);
    if (kept) {
      this.#graphs.delete(key);
      this.#graphs.set(key, kept);
      return kept;
    }
    const made = await loadingOps(() => this.#lower(given, this.#lowerer({ given, found })));
    if ('late' in made) {
      if (!late) return { graph: undefined, outputs: [], needs: { key: '', type: 'float' } };
      for (const name of made.late) this.#late.add(name);
      return this.#lowered(given, found);
    }
    this.#graphs.set(key, { ...made, wanted: this.#wanted(given, found) });
    if (this.#graphs.size > MOST_GRAPHS) this.#graphs.delete(this.#graphs.keys().next().value!);
    return made;
  }

  #wanted(given: ReadonlyMap<string, Given>, found: Wanted['found']): Wanted {
    const kept = (name: string, one: Given): Given => (this.#late.has(name) ? one : { ...one, values: undefined });
    return { given: new Map([...given].map(([name, one]) => [name, kept(name, one)])), found };
  }

  /** The graph for these inputs with all nodes that made it. Undefined where numbers of a run decide what it is. */
  #traced(given: ReadonlyMap<string, Given>): TracedOutputs | undefined {
    const nodes: LoweredNode[] = [];
    const made = this.#lowerer({ given, found: new Map() });
    const { lowerer } = made;
    lowerer.watch = (node) => nodes.push(node);
    const lowered = this.#lower(given, made, false);
    if ('late' in lowered || lowered.needs || !lowered.graph) return undefined;
    const { graph, outputs, checks = [] } = lowered;
    return { given, graph, outputs, checks, nodes, lowerer };
  }

  /** What lowers the file for these inputs, and their values. */
  #lowerer({ given, found }: Wanted): Lowering {
    const lowerer = new Lowerer(this.model, this.table, { files: this.small, found }, this.dataType, this.#shared);
    const inputs = new Map<string, Value>();
    for (const [name, { type, dims, values }] of given) {
      const onHost = values && (this.#late.has(name) || type === 'string');
      inputs.set(name, onHost ? known(type, dims, Array.from(values)) : lowerer.input(name, type, dims));
    }
    return { lowerer, inputs };
  }

  #lower(
    given: ReadonlyMap<string, Given>,
    { lowerer, inputs }: Lowering,
    masks?: boolean,
  ): Lowered | { late: readonly string[] } {
    try {
      const outputs = lowerer.lower(inputs);
      const leaves: Record<string, Operand> = {};
      for (const [i, value] of outputs.entries())
        collect(value, `${i}`, leaves, (tensor) => lowerer.operand(tensor, `output ${i}`));
      const computes = Object.keys(leaves).length > 0;
      if (computes && lowerer.checks.length) leaves[CHECKS] = flagsOf(lowerer.checks.map(({ flags }) => flags));
      const checks = lowerer.checks.map(({ label }) => label);
      const graph = computes ? this.recognise({ outputs: leaves }, masks) : undefined;
      return { graph, outputs, checks };
    } catch (error) {
      if (!(error instanceof NeedsNumbers)) throw error;
      const { tensor, key } = error;
      const needed = lowerer.operand(tensor, key);
      const names = topological({ outputs: { needed } })
        .filter(isInput)
        .map(({ options }) => (options as NamedOptions).name);
      const few = (name: string): boolean => {
        const { type, dims, values } = given.get(name)!;
        return values !== undefined && elementCount(dims) <= (isFloating(type) ? MOST_LATE.floats : MOST_LATE.integers);
      };
      if (names.length && names.every(few)) return { late: names };
      return { graph: { outputs: { needed: apart(needed) } }, outputs: [], needs: { key, type: tensor.type } };
    }
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
    this.reset();
    super.release();
  }

  graphs(): Readonly<Record<string, Graph>> {
    const inPlace = (this.#feedback?.caches.all() ?? []).map(([name, { graph }]): [string, Graph] => [name, graph]);
    const named = [...this.#graphs].flatMap(([key, { graph }]): [string, Graph][] => (graph ? [[key, graph]] : []));
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
      lowered: (given) => this.#lowered(given, new Map()),
      key: (given) => this.#key(given, new Map()),
    });
    return this.calibrateOn(graph, inputs, options);
  }

  /** What lowers the file again, as for a plan of `graphs()`, and the values that it begins with. */
  #again(plan: string | undefined): Lowering {
    const names = Object.keys(this.graphs());
    const name = plan ?? names[0]!;
    const cache = this.#feedback?.caches.all().find(([own]) => own === name)?.[1];
    const wanted = cache ? { given: cache.full.given, found: new Map() } : this.#graphs.get(name)?.wanted;
    if (!wanted) throw new TilewrightError('invalid-argument', `there is no plan '${name}' (${names.join(', ')})`);
    return this.#lowerer(wanted);
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

/** The output of flags that have to be 0. */
const CHECKS = 'checks';

/** Whether any flag of each node is set, one after the other. */
function flagsOf(flags: readonly Operand[]): Operand {
  const each = flags.map((input) => {
    const any = operand('reduceMax', { input }, { keepDimensions: false });
    return operand('reshape', { input: any }, { newShape: [1] });
  });
  const inputs = Object.fromEntries(each.map((one, i) => [`input${i}`, one]));
  return each.length > 1 ? operand('concat', inputs, { axis: 0 }) : each[0]!;
}

/** A leaf is no output of a graph: a copy of it is. */
const apart = (one: Operand): Operand => (isLeaf(one) ? operand('identity', { input: one }) : one);

/** The operands of an output, by its place. */
function collect(
  value: Value,
  name: string,
  into: Record<string, Operand>,
  operandOf: (tensor: Tensor) => Operand,
): void {
  if (value.kind === 'sequence')
    for (const [i, item] of value.items.entries()) collect(item, `${name}.${i}`, into, operandOf);
  else if (value.kind === 'tensor' && !value.known) into[name] = apart(operandOf(value));
}
