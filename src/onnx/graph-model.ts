import { TilewrightError, throwIfAborted } from '../errors.ts';
import type { OnnxModel, OnnxTensor, OnnxType, OnnxValueInfo } from '../formats/onnx.ts';
import type { Checkpoint, CheckpointTensor } from '../formats/safetensors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { loadingOps } from '../graph/groups/index.ts';
import { type Graph, isInput, isLeaf, type NamedOptions, type Operand, operand, topological } from '../graph/ir.ts';
import type { Folder } from '../hub/folder.ts';
import { LoadedModel, type LoadOptions, macsOf } from '../models/model.ts';
import { signal as aSignal, checkOptions, list, object, shown, text } from '../options.ts';
import type { Session, TensorInput } from '../runtime/session.ts';
import { fromHalf } from '../tensor/half.ts';
import { type DataType, elementCount, formatShape, type TensorData, typedArray } from '../tensor/types.ts';
import { NeedsNumbers } from './call.ts';
import { nodesOf, parametersOf, tensorsOf, typeName, unsupportedIn } from './contents.ts';
import { Feedback, feedbackOf } from './feedback.ts';
import { lowerings } from './lower/index.ts';
import { keyOf, Lowerer, type Lowerings } from './lowerer.ts';
import { fromBytes, isFloating, known, MOST_KNOWN, type Scalar, type Tensor, toDevice, type Value } from './values.ts';

/** A tensor that a run gives: its type under ONNX's name, its dimensions, its numbers (bool: 0 and 1; float16: bits). */
export interface GraphTensor {
  readonly type: OnnxType;
  readonly dims: readonly number[];
  readonly data: GraphData;
}

export type GraphData = TensorData | Int16Array | Float64Array | BigInt64Array | BigUint64Array | readonly string[];

/** What a run takes: numbers alone where the dimensions follow from the model and their count, else with dimensions. */
export type GraphInput =
  | GraphData
  | readonly (number | bigint | boolean)[]
  | { readonly dims: readonly number[]; readonly data: GraphData | readonly (number | bigint | boolean | string)[] };

export type GraphOutput = GraphTensor | readonly GraphOutput[] | undefined;

export interface GraphRunOptions {
  signal?: AbortSignal | undefined;
  /** Outputs that are wanted; all where absent. */
  outputs?: readonly string[];
}

/** What a model takes and gives: dimensions are numbers, or symbols that a run binds. */
export interface GraphValue {
  readonly name: string;
  /** Under ONNX's name; `sequence(float)`. */
  readonly type: string;
  /** Undefined where the file says nothing of them. */
  readonly dims: readonly (number | string)[] | undefined;
}

/** An input of a run: its numbers, of its type. */
interface Given {
  readonly type: OnnxType;
  readonly dims: readonly number[];
  /** Undefined where `feedback` has it on the device. */
  readonly values: ArrayLike<Scalar> | undefined;
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

/** Integers that an input may have for the graph to depend on them; and floats, such as scales. */
const MOST_LATE = { integers: MOST_KNOWN, floats: 32 };
/** Integers of a tensor of the file that are read to memory: places of a scatter, which then is a gather. */
const MOST_PLACES = 65536;
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
  readonly #graphs = new Map<string, Lowered>();
  readonly #shared = new Map<string, TensorData>();
  /** Inputs whose numbers decide what the graph is. */
  readonly #late = new Set<string>();
  readonly #feedback: Feedback;

  private constructor(
    gpu: Gpu,
    folder: Folder,
    readonly model: OnnxModel,
    private readonly table: Lowerings,
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
    this.#feedback = new Feedback(gpu, feedbackOf(options.feedback ?? {}, this.outputs, this.inputs));
    this.parameters = parametersOf(model);
  }

  static async load(gpu: Gpu, folder: Folder, model: OnnxModel, options: LoadOptions): Promise<GraphModel> {
    const { signal, onProgress, dims = {} } = options;
    checkSupported(model);
    const table = await lowerings(new Set(nodesOf(model).map(keyOf)));
    const files = await smallNumbers(model, signal);
    const made = new GraphModel(gpu, folder, model, table, files, dims, options);
    try {
      const fixed = made.inputs.every(({ type, dims }) => type !== 'string' && dims && made.#dimsOf(dims));
      if (fixed) await made.#warm({ signal, onProgress });
      return made;
    } catch (error) {
      made.dispose();
      throw error;
    }
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
  async run(
    inputs: Readonly<Record<string, GraphInput>>,
    options: GraphRunOptions = {},
  ): Promise<Record<string, GraphOutput>> {
    this.alive();
    checkOptions('run', options, { signal: aSignal, outputs: list(text) });
    throwIfAborted(options.signal, 'the run');
    const { sources, turns } = this.#feedback;
    return sources.size ? turns.take(() => this.#run(inputs, options)) : this.#run(inputs, options);
  }

  /** Forgets what `feedback` keeps from run to run: the next begins with zeros. */
  reset(): void {
    this.#feedback.reset();
  }

  async #run(
    inputs: Readonly<Record<string, GraphInput>>,
    { signal, outputs: wanted }: GraphRunOptions,
  ): Promise<Record<string, GraphOutput>> {
    this.alive();
    const given = this.#given(inputs);
    const found = new Map<string, readonly Scalar[]>();
    for (;;) {
      const lowered = await this.#lowered(given, found);
      const { outputs, needs } = lowered;
      const results = await this.#compute(lowered, given, found, wanted, signal);
      if (!needs) return this.#named(outputs, results, wanted);
      found.set(
        needs.key,
        Array.from(results['needed']!, (value) => fromDevice(needs.type, value)),
      );
    }
  }

  /** Names of outputs, with what the device and the host computed. */
  #named(
    outputs: readonly Value[],
    results: Readonly<Record<string, TensorData>>,
    wanted: readonly string[] | undefined,
  ): Record<string, GraphOutput> {
    for (const name of wanted ?? [])
      if (!this.outputs.some((output) => output.name === name))
        throw new TilewrightError(
          'invalid-argument',
          `there is no output '${name}' (${this.outputs.map(({ name }) => name).join(', ')})`,
        );
    const named = this.outputs.flatMap(({ name }, i): [string, GraphOutput][] =>
      wanted && !wanted.includes(name) ? [] : [[name, resultOf(outputs[i]!, `${i}`, results)]],
    );
    return Object.fromEntries(named);
  }

  async #compute(
    { graph, needs, checks = [] }: Lowered,
    given: ReadonlyMap<string, Given>,
    found: ReadonlyMap<string, readonly Scalar[]>,
    wanted: readonly string[] | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Record<string, TensorData>> {
    if (!graph) return {};
    const isWanted = (place: string): boolean =>
      !wanted ||
      needs !== undefined ||
      place === CHECKS ||
      wanted.includes(this.outputs[Number.parseInt(place, 10)]!.name);
    const name = `${this.#key(given, found)}${needs ? ` until ${needs.key}` : ''}`;
    const work = async (session: Session): Promise<Record<string, TensorData>> => {
      const inputs: Record<string, TensorInput> = {};
      for (const [name, operand] of session.plan.inputs) {
        const one = given.get(name)!;
        if (one.values) inputs[name] = numbersFor(name, one.type, one.dims, one.values, operand.dataType);
        else this.#feedback.give(session, name);
      }
      const outputs = [...session.plan.outputs.keys()].filter(isWanted);
      const results = await session.run<TensorData>(inputs, { signal, outputs });
      const raised = results[CHECKS]?.findIndex((flag) => flag !== 0) ?? -1;
      if (raised >= 0)
        throw new TilewrightError(
          'unsupported-type',
          `${checks[raised]}: an integer is larger than is exact here: 32 bits, or 24 in a product of matrices`,
          {
            hint: 'The GPU has no 64-bit integers: give smaller values.',
          },
        );
      for (const [input, output] of needs ? [] : this.#feedback.sources) {
        const place = `${this.outputs.findIndex(({ name }) => name === output)}`;
        const tensor = graph.outputs[place];
        if (!tensor)
          throw new TilewrightError('unsupported-option', `feedback: '${output}' is not computed on the device`);
        this.#feedback.keep(session, place, input, tensor);
      }
      return results;
    };
    return this.withSession(name, () => graph, work, { signal });
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
    const made = await loadingOps(() => this.#lower(given, found));
    if ('late' in made) {
      if (!late) return { graph: undefined, outputs: [], needs: { key: '', type: 'float' } };
      for (const name of made.late) this.#late.add(name);
      return this.#lowered(given, found);
    }
    this.#graphs.set(key, made);
    if (this.#graphs.size > MOST_GRAPHS) this.#graphs.delete(this.#graphs.keys().next().value!);
    return made;
  }

  #lower(
    given: ReadonlyMap<string, Given>,
    found: ReadonlyMap<string, readonly Scalar[]>,
  ): Lowered | { late: readonly string[] } {
    const lowerer = new Lowerer(this.model, this.table, { files: this.small, found }, this.dataType, this.#shared);
    const inputs = new Map<string, Value>();
    for (const [name, { type, dims, values }] of given) {
      const onHost = values && (this.#late.has(name) || type === 'string');
      inputs.set(name, onHost ? known(type, dims, Array.from(values)) : lowerer.input(name, type, dims));
    }
    try {
      const outputs = lowerer.lower(inputs);
      const leaves: Record<string, Operand> = {};
      for (const [i, value] of outputs.entries())
        collect(value, `${i}`, leaves, (tensor) => lowerer.operand(tensor, `output ${i}`));
      const computes = Object.keys(leaves).length > 0;
      if (computes && lowerer.checks.length) leaves[CHECKS] = flagsOf(lowerer.checks.map(({ flags }) => flags));
      const checks = lowerer.checks.map(({ label }) => label);
      return { graph: computes ? { outputs: leaves } : undefined, outputs, checks };
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
  #given(inputs: Readonly<Record<string, GraphInput>>): Map<string, Given> {
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
    const { sources } = this.#feedback;
    // What comes back from the run before takes its symbols from the inputs that are given.
    const last = ({ name }: OnnxValueInfo): number => Number(sources.has(name) && inputs[name] === undefined);
    for (const { name, type } of [...this.model.graph.inputs].sort((a, b) => last(a) - last(b))) {
      const input = inputs[name];
      if (input === undefined) {
        if (!names.includes(name)) continue; // an initialiser is its default
        if (sources.has(name) && type?.kind === 'tensor') {
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
    const kept = this.#feedback.dims(name);
    if (kept) return { type, dims: kept, values: undefined };
    const dims = declared.map((size) =>
      typeof size === 'number' ? size : (symbols.get(size) ?? (size === '' ? 1 : 0)),
    );
    return {
      type,
      dims,
      values: known(
        type,
        dims,
        Array.from({ length: elementCount(dims) }, () => 0),
      ).known,
    };
  }

  protected override release(): void {
    this.#feedback.reset();
    super.release();
  }

  graphs(): Readonly<Record<string, Graph>> {
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
    return Object.fromEntries(named.reverse());
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

/** The numbers of an input as the device takes them. */
function numbersFor(
  name: string,
  type: OnnxType,
  dims: readonly number[],
  values: ArrayLike<Scalar>,
  device: DataType,
): TensorData {
  const right = typedArray(device, 0).constructor;
  if (device !== 'float16' && values.constructor === right) return values as TensorData;
  return toDevice(`input ${name}`, { type, shape: dims }, Array.from(values), device);
}

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

function resultOf(value: Value, name: string, results: Readonly<Record<string, TensorData>>): GraphOutput {
  if (value.kind === 'nothing') return undefined;
  if (value.kind === 'sequence') return value.items.map((item, i) => resultOf(item, `${name}.${i}`, results));
  const { type, shape, known } = value;
  return { type, dims: shape, data: known ? arrayOf(type, known) : taken(type, results[name]!) };
}

const ARRAYS = {
  float: Float32Array,
  double: Float64Array,
  float16: Uint16Array,
  bfloat16: Float32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int4: Int8Array,
  uint4: Uint8Array,
} as const;

/** Numbers in the array of their type. */
function arrayOf(type: OnnxType, values: readonly Scalar[]): GraphData {
  if (type === 'string') return values as readonly string[];
  if (type === 'float16')
    return toDevice('an output', { type, shape: [values.length] }, values, 'float16') as Uint16Array;
  const Type = ARRAYS[type as keyof typeof ARRAYS] as unknown as { from(values: readonly Scalar[]): GraphData };
  return Type.from(values);
}

/** What the device gives, in the array of its type. */
function taken(type: OnnxType, data: TensorData): GraphData {
  if (type === 'float16' && data instanceof Uint16Array) return data;
  if (type !== 'float16' && isFloating(type) && data instanceof Uint16Array) return Float32Array.from(data, fromHalf);
  const Type = ARRAYS[type as keyof typeof ARRAYS];
  if (data.constructor === Type) return data;
  return arrayOf(
    type,
    Array.from(data, (value) => fromDevice(type, value)),
  );
}

const fromDevice = (type: OnnxType, value: number): Scalar =>
  type === 'int64' || type === 'uint64' ? BigInt(value) : value;

/** An input of a run, checked. Symbols take their number from the first input that has them. */
function bind(
  name: string,
  type: OnnxType,
  declared: readonly (number | string)[] | undefined,
  input: GraphInput,
  symbols: Map<string, number>,
): Given {
  const isList = (value: unknown): value is ArrayLike<number | bigint | boolean | string> =>
    Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
  const { dims, data } = (isList(input) ? { dims: undefined, data: input } : (input ?? {})) as {
    dims: readonly number[] | undefined;
    data: unknown;
  };
  if (!isList(data))
    throw new TilewrightError('invalid-argument', `input ${name}: expected an array, or { dims, data }`);
  if (dims !== undefined && !(isList(dims) && dims.every((size) => Number.isSafeInteger(size) && size >= 0)))
    throw new TilewrightError(
      'invalid-argument',
      `input ${name}: dims: expected integers from 0 on, got ${shown(dims)}`,
    );
  const shape = dims ?? guessed(name, declared, data.length, symbols);
  if (
    declared &&
    (declared.length !== shape.length || declared.some((size, d) => typeof size === 'number' && size !== shape[d]))
  )
    throw new TilewrightError(
      'wrong-shape',
      `input ${name}: expected [${declared.map((size) => size || '?')}], got ${formatShape(shape)}`,
    );
  declared?.forEach((symbol, d) => {
    if (typeof symbol !== 'string' || !symbol) return;
    const size = symbols.get(symbol) ?? shape[d]!;
    if (size !== shape[d])
      throw new TilewrightError(
        'wrong-shape',
        `input ${name}: dimension ${d} is ${symbol}, which is ${size} already, got ${shape[d]}`,
      );
    symbols.set(symbol, size);
  });
  if (elementCount(shape) !== data.length)
    throw new TilewrightError(
      'wrong-shape',
      `input ${name}: ${formatShape(shape)} has ${elementCount(shape)} elements, the array ${data.length}`,
    );
  return { type, dims: shape, values: scalars(name, type, data) };
}

/** The dimensions, where all but one are known. */
function guessed(
  name: string,
  declared: readonly (number | string)[] | undefined,
  length: number,
  symbols: ReadonlyMap<string, number>,
): number[] {
  const fail = (): never => {
    throw new TilewrightError(
      'wrong-shape',
      `input ${name}: its dimensions [${declared ?? '?'}] do not follow from ${length} elements`,
      {
        hint: 'Give { dims, data }.',
      },
    );
  };
  if (!declared) return fail();
  const dims = declared.map((size) => (typeof size === 'number' ? size : symbols.get(size)));
  const open = dims.flatMap((size, d) => (size === undefined ? [d] : []));
  if (open.length > 1) return fail();
  const others = dims.reduce<number>((product, size) => product * (size ?? 1), 1);
  if (open.length === 1) dims[open[0]!] = others ? length / others : 0;
  return dims.every((size) => Number.isInteger(size)) ? (dims as number[]) : fail();
}

/** The numbers of an array that a caller gave for a type. Error: `wrong-type`. */
function scalars(name: string, type: OnnxType, data: ArrayLike<number | bigint | boolean | string>): ArrayLike<Scalar> {
  if (ArrayBuffer.isView(data)) {
    const expected = ARRAYS[type as keyof typeof ARRAYS] ?? Array;
    const floats = isFloating(type) && (data instanceof Float32Array || data instanceof Float64Array);
    if (!(data instanceof expected) && !floats && !(type === 'float16' && data instanceof Uint16Array))
      throw new TilewrightError(
        'wrong-type',
        `input ${name}: expected ${expected.name} for ${type}, got ${data.constructor.name}`,
      );
    return type === 'float16' && data instanceof Uint16Array
      ? Array.from(data, fromHalf)
      : (data as unknown as ArrayLike<Scalar>);
  }
  const given = Array.from(data, (value) => (typeof value === 'boolean' ? Number(value) : value));
  const kinds = type === 'string' ? ['string'] : ['number', 'bigint'];
  const exact = type === 'string' || isFloating(type) ? undefined : known;
  const stray = given.findIndex((value) => !kinds.includes(typeof value));
  const held = stray < 0 ? exact?.(type, [data.length], given).known : undefined;
  const lost = held ? given.findIndex((value, i) => Number(held[i]) !== Number(value)) : stray;
  if (lost >= 0)
    throw new TilewrightError('wrong-type', `input ${name}: element ${lost} is ${data[lost]}, which is no ${type}`);
  return held ?? known(type, [data.length], given).known!;
}

/** The numbers of the tensors that the host may compute with. */
export async function smallNumbers(
  model: OnnxModel,
  signal?: AbortSignal,
): Promise<Map<OnnxTensor, readonly Scalar[]>> {
  const found = new Map<OnnxTensor, readonly Scalar[]>();
  for (const tensor of tensorsOf(model)) {
    const count = elementCount(tensor.dims);
    if (tensor.type !== 'string' && count <= (isFloating(tensor.type) ? MOST_KNOWN : MOST_PLACES))
      found.set(tensor, fromBytes(tensor.type, count, await tensor.bytes(signal)));
  }
  return found;
}

/** Error: `unsupported-op`, with every op and type that is not computed here. */
function checkSupported(model: OnnxModel): void {
  const problems = unsupportedIn(model).map(
    ({ what, where }) => `${what} (${where.length > 1 ? `${where.length} times, first ` : ''}${where[0]})`,
  );
  if (!problems.length) return;
  const versions = [...model.opsets].map(([domain, version]) => `${domain || 'ai.onnx'} ${version}`).join(', ');
  throw new TilewrightError('unsupported-op', `${model.name} (${versions}): not computed here: ${problems.join(', ')}`);
}

/** The tensors of a model, as reports and quantisation know them. */
function checkpointOf(model: OnnxModel): Checkpoint {
  const tensors = new Map<string, CheckpointTensor>();
  let byteLength = 0;
  for (const tensor of tensorsOf(model)) {
    byteLength += tensor.byteLength;
    const { name, source } = tensor;
    if (source)
      tensors.set(name, {
        ...source,
        typeName: source.storedType,
        byteLength: tensor.byteLength,
        file: model.name,
      });
  }
  return { tensors, metadata: model.metadata, byteLength };
}
