import { GraphBuilder } from '../graph/builder.ts';
import type { Operand } from '../graph/ir.ts';
import { opNamed } from '../ops/index.ts';
import { arrayOf } from '../tensor/half.ts';
import { logical } from '../tensor/logical.ts';
import { MLContext } from './context.ts';
import {
  type MLBufferSource,
  type MLOperandDataType,
  type MLOperandDescriptor,
  needDataType,
  needDescriptor,
  numbersOf,
} from './data.ts';
import { checked, invalidState } from './errors.ts';
import type { MLGraph } from './graph.ts';
import { type BINARY, OP_OPTIONS, operandsOf, type POOLS, type REDUCTIONS, type UNARY } from './ops.ts';
import { heldBy, MLTensor, ownerOf } from './tensor.ts';

/** A tensor of a graph that is being built. */
export class MLOperand {
  readonly dataType: MLOperandDataType;
  readonly shape: readonly number[];

  constructor({ dataType, shape }: MLOperandDescriptor) {
    this.dataType = dataType;
    this.shape = Object.freeze([...shape]);
  }
}

/** Outputs of a graph by name. */
export type MLNamedOperands = Readonly<Record<string, MLOperand>>;
/** A number; of an int64 a bigint too. */
export type MLNumber = number | bigint;

/** What every op takes. */
export interface MLOperatorOptions {
  label?: string;
}

type Options<T> = T & MLOperatorOptions;
type Sizes = readonly number[];
type Layout = 'nchw' | 'nhwc';

interface Arg {
  keepDimensions?: boolean;
  outputDataType?: 'int32' | 'int64';
}

interface Scaled {
  scale?: MLOperand;
  bias?: MLOperand;
  epsilon?: number;
}

interface Window {
  padding?: Sizes;
  strides?: Sizes;
  dilations?: Sizes;
}

interface Pool extends Window {
  windowDimensions?: Sizes;
  layout?: Layout;
  roundingType?: 'floor' | 'ceil';
  outputSizes?: Sizes;
}

interface Convolution extends Window {
  groups?: number;
  inputLayout?: Layout;
  bias?: MLOperand;
}

/** A function of a recurrent network. */
export type MLRecurrentNetworkActivation = 'relu' | 'sigmoid' | 'tanh';

interface Cell<GateLayout> {
  bias?: MLOperand;
  recurrentBias?: MLOperand;
  layout?: GateLayout;
  activations?: readonly MLRecurrentNetworkActivation[];
}

interface Sequence {
  initialHiddenState?: MLOperand;
  returnSequence?: boolean;
  direction?: 'forward' | 'backward' | 'both';
}

interface Gru extends Cell<'zrn' | 'rzn'> {
  resetAfter?: boolean;
}

interface Lstm extends Cell<'iofg' | 'ifgo'> {
  peepholeWeight?: MLOperand;
}

type Unary = (input: MLOperand, options?: MLOperatorOptions) => MLOperand;
type Binary = (a: MLOperand, b: MLOperand, options?: MLOperatorOptions) => MLOperand;
type Reduction = (input: MLOperand, options?: Options<{ axes?: Sizes; keepDimensions?: boolean }>) => MLOperand;
type PoolOp = (input: MLOperand, options?: Options<Pool>) => MLOperand;

/** The ops of the standard, as it declares them. */
export interface MLGraphBuilder
  extends Readonly<Record<(typeof UNARY)[number], Unary>>,
    Readonly<Record<(typeof BINARY)[number], Binary>>,
    Readonly<Record<(typeof REDUCTIONS)[number], Reduction>>,
    Readonly<Record<(typeof POOLS)[number], PoolOp>> {
  argMax(input: MLOperand, axis: number, options?: Options<Arg>): MLOperand;
  argMin(input: MLOperand, axis: number, options?: Options<Arg>): MLOperand;
  batchNormalization(
    input: MLOperand,
    mean: MLOperand,
    variance: MLOperand,
    options?: Options<Scaled & { axis?: number }>,
  ): MLOperand;
  cast(input: MLOperand, type: MLOperandDataType, options?: MLOperatorOptions): MLOperand;
  clamp(input: MLOperand, options?: Options<{ minValue?: MLNumber; maxValue?: MLNumber }>): MLOperand;
  concat(inputs: readonly MLOperand[], axis: number, options?: MLOperatorOptions): MLOperand;
  conv2d(
    input: MLOperand,
    filter: MLOperand,
    options?: Options<Convolution & { filterLayout?: 'oihw' | 'hwio' | 'ohwi' | 'ihwo' }>,
  ): MLOperand;
  convTranspose2d(
    input: MLOperand,
    filter: MLOperand,
    options?: Options<
      Convolution & { filterLayout?: 'iohw' | 'hwoi' | 'ohwi' | 'oihw'; outputPadding?: Sizes; outputSizes?: Sizes }
    >,
  ): MLOperand;
  cumulativeSum(
    input: MLOperand,
    axis: number,
    options?: Options<{ exclusive?: boolean; reversed?: boolean }>,
  ): MLOperand;
  dequantizeLinear(input: MLOperand, scale: MLOperand, zeroPoint: MLOperand, options?: MLOperatorOptions): MLOperand;
  elu(input: MLOperand, options?: Options<{ alpha?: number }>): MLOperand;
  expand(input: MLOperand, newShape: Sizes, options?: MLOperatorOptions): MLOperand;
  gather(input: MLOperand, indices: MLOperand, options?: Options<{ axis?: number }>): MLOperand;
  gatherElements(input: MLOperand, indices: MLOperand, options?: Options<{ axis?: number }>): MLOperand;
  gemm(
    a: MLOperand,
    b: MLOperand,
    options?: Options<{ c?: MLOperand; alpha?: number; beta?: number; aTranspose?: boolean; bTranspose?: boolean }>,
  ): MLOperand;
  gru(
    input: MLOperand,
    weight: MLOperand,
    recurrentWeight: MLOperand,
    steps: number,
    hiddenSize: number,
    options?: Options<Gru & Sequence>,
  ): MLOperand[];
  gruCell(
    input: MLOperand,
    weight: MLOperand,
    recurrentWeight: MLOperand,
    hiddenState: MLOperand,
    hiddenSize: number,
    options?: Options<Gru>,
  ): MLOperand;
  hardSigmoid(input: MLOperand, options?: Options<{ alpha?: number; beta?: number }>): MLOperand;
  instanceNormalization(input: MLOperand, options?: Options<Scaled & { layout?: Layout }>): MLOperand;
  layerNormalization(input: MLOperand, options?: Options<Scaled & { axes?: Sizes }>): MLOperand;
  leakyRelu(input: MLOperand, options?: Options<{ alpha?: number }>): MLOperand;
  linear(input: MLOperand, options?: Options<{ alpha?: number; beta?: number }>): MLOperand;
  lstm(
    input: MLOperand,
    weight: MLOperand,
    recurrentWeight: MLOperand,
    steps: number,
    hiddenSize: number,
    options?: Options<Lstm & Sequence & { initialCellState?: MLOperand }>,
  ): MLOperand[];
  lstmCell(
    input: MLOperand,
    weight: MLOperand,
    recurrentWeight: MLOperand,
    hiddenState: MLOperand,
    cellState: MLOperand,
    hiddenSize: number,
    options?: Options<Lstm>,
  ): MLOperand[];
  pad(
    input: MLOperand,
    beginningPadding: Sizes,
    endingPadding: Sizes,
    options?: Options<{ mode?: 'constant' | 'edge' | 'reflection'; value?: MLNumber }>,
  ): MLOperand;
  quantizeLinear(input: MLOperand, scale: MLOperand, zeroPoint: MLOperand, options?: MLOperatorOptions): MLOperand;
  resample2d(
    input: MLOperand,
    options?: Options<{ mode?: 'nearest-neighbor' | 'linear'; scales?: Sizes; sizes?: Sizes; axes?: Sizes }>,
  ): MLOperand;
  reshape(input: MLOperand, newShape: Sizes, options?: MLOperatorOptions): MLOperand;
  reverse(input: MLOperand, options?: Options<{ axes?: Sizes }>): MLOperand;
  scatterElements(
    input: MLOperand,
    indices: MLOperand,
    updates: MLOperand,
    options?: Options<{ axis?: number }>,
  ): MLOperand;
  scatterND(input: MLOperand, indices: MLOperand, updates: MLOperand, options?: MLOperatorOptions): MLOperand;
  slice(input: MLOperand, starts: Sizes, sizes: Sizes, options?: Options<{ strides?: Sizes }>): MLOperand;
  /** The last axis where none is given, as the standard once had it. */
  softmax(input: MLOperand, axis?: number, options?: MLOperatorOptions): MLOperand;
  split(input: MLOperand, splits: number | Sizes, options?: Options<{ axis?: number }>): MLOperand[];
  tile(input: MLOperand, repetitions: Sizes, options?: MLOperatorOptions): MLOperand;
  transpose(input: MLOperand, options?: Options<{ permutation?: Sizes }>): MLOperand;
  triangular(input: MLOperand, options?: Options<{ upper?: boolean; diagonal?: number }>): MLOperand;
  where(condition: MLOperand, trueValue: MLOperand, falseValue: MLOperand, options?: MLOperatorOptions): MLOperand;
}

/** Arguments and options that are unsigned: the engine's own ops count some of them from the end. */
const UNSIGNED: ReadonlySet<string> = new Set([
  'axis',
  'axes',
  'beginningPadding',
  'dilations',
  'endingPadding',
  'groups',
  'hiddenSize',
  'newShape',
  'outputPadding',
  'outputSizes',
  'padding',
  'permutation',
  'repetitions',
  'sizes',
  'splits',
  'starts',
  'steps',
  'strides',
  'windowDimensions',
]);

/** Arguments and options that are types. */
const TYPES: ReadonlySet<string> = new Set(['to', 'outputDataType']);

/** An argument or an option that is no operand. Error: TypeError. */
function plain(what: string, name: string, value: unknown): unknown {
  const unsigned = (size: unknown): boolean =>
    Number.isInteger(size) && (size as number) >= 0 && (size as number) < 2 ** 32;
  if (UNSIGNED.has(name) && ![value].flat().every(unsigned))
    throw new TypeError(`${what}: ${name} is ${value}, expected integers from 0 on`);
  if (TYPES.has(name)) {
    needDataType(what, value);
    if (logical(value)?.Type === Uint8Array)
      throw new TypeError(`${what}: ${name} is ${value}: quantizeLinear makes that`);
  }
  return typeof value === 'bigint' ? Number(value) : value;
}

type Method = (...given: unknown[]) => Operand | readonly Operand[];

/** Builds one graph. Types and shapes are checked at each call: a mistake is a TypeError where it is made. */
export class MLGraphBuilder {
  readonly #context: MLContext;
  readonly #graph = new GraphBuilder();
  readonly #operands = new WeakMap<MLOperand, Operand>();
  /** Operands that cannot be outputs: inputs and constants. */
  readonly #leaves = new WeakSet<MLOperand>();
  #built = false;

  constructor(context: MLContext) {
    if (!(context instanceof MLContext)) throw new TypeError('MLGraphBuilder: expected an MLContext');
    context.alive();
    this.#context = context;
  }

  /** Throws InvalidStateError where nothing more can be built. */
  #ready(): void {
    this.#context.alive();
    if (this.#built) throw invalidState('the builder has built its graph');
  }

  #made(operand: Operand): MLOperand {
    const made = new MLOperand(operand as MLOperandDescriptor);
    this.#operands.set(made, operand);
    return made;
  }

  #leaf(operand: Operand): MLOperand {
    const made = this.#made(operand);
    this.#leaves.add(made);
    return made;
  }

  #operandOf(what: string, value: unknown): Operand {
    if (!(value instanceof MLOperand)) throw new TypeError(`${what}: expected an MLOperand, got ${value}`);
    const operand = this.#operands.get(value);
    if (!operand) throw new TypeError(`${what}: the operand is of another builder`);
    return operand;
  }

  /** A tensor that every dispatch is given. */
  input(name: string, descriptor: MLOperandDescriptor): MLOperand {
    this.#ready();
    if (!name) throw new TypeError('input: the name is empty');
    const tensor = needDescriptor(`input '${name}'`, descriptor);
    return this.#leaf(checked(() => this.#graph.input(name, tensor)));
  }

  /** A tensor that no dispatch changes: from its numbers, which are copied; one number of a type; a constant MLTensor. */
  constant(descriptor: MLOperandDescriptor, data: MLBufferSource): MLOperand;
  constant(dataType: MLOperandDataType, value: MLNumber): MLOperand;
  constant(tensor: MLTensor): MLOperand;
  constant(first: MLOperandDescriptor | MLOperandDataType | MLTensor, second?: MLBufferSource | MLNumber): MLOperand {
    this.#ready();
    if (first instanceof MLTensor) {
      if (ownerOf(first) !== this.#context) throw new TypeError('constant: the tensor is of another context');
      const content = heldBy(first)?.content;
      if (!content) throw new TypeError('constant: the tensor was destroyed');
      if (!('numbers' in content)) throw new TypeError('constant: the tensor is not constant');
      const { dataType, shape } = first;
      return this.#leaf(this.#graph.constant({ dataType, shape }, content.numbers));
    }
    if (typeof first === 'string') return this.#leaf(this.#scalar(first, second));
    const tensor = needDescriptor('constant', first);
    return this.#leaf(this.#graph.constant(tensor, numbersOf('constant', tensor, second as MLBufferSource)));
  }

  /** One number, cast to its type: integers drop the fraction and wrap around. */
  #scalar(dataType: MLOperandDataType, value: unknown): Operand {
    needDataType('constant', dataType);
    if (typeof value !== 'number' && typeof value !== 'bigint')
      throw new TypeError(`constant: expected a number, got ${value}`);
    const tensor = { dataType, shape: [] };
    if (dataType === 'float16' || dataType === 'float32')
      return this.#graph.constant(tensor, arrayOf(dataType, [Number(value)]));
    const whole = typeof value === 'bigint' ? value : BigInt(Number.isFinite(value) ? Math.trunc(value) : 0);
    const bits = new BigUint64Array([BigInt.asUintN(64, whole)]).buffer; // little-endian, as WebGPU is
    const bytes = { int64: 8, uint64: 8, int32: 4, uint32: 4 }[dataType as string] ?? 1;
    return this.#graph.constant(tensor, numbersOf('constant', tensor, bits.slice(0, bytes)));
  }

  /** Adds an op: operands, arguments, then options. Members of the options that the standard lacks are left out. */
  #add(op: string, given: readonly unknown[]): MLOperand | MLOperand[] {
    this.#ready();
    const values = [...given];
    const operands = operandsOf(op);
    const optional = new Set(operands.filter(([, , isArgument]) => !isArgument).map(([name]) => name));
    const args = operands
      .filter(([, , isArgument]) => isArgument)
      .map(([name, { list }]): unknown => {
        const value = values.shift();
        if (!list) return this.#operandOf(`${op}: ${name}`, value);
        if (!Array.isArray(value) || !value.length) throw new TypeError(`${op}: expected a list of operands`);
        return value.map((one) => this.#operandOf(`${op}: ${name}`, one));
      });
    for (const name of opNamed(op).args ?? []) {
      const value = values.shift();
      if (value === undefined && op !== 'softmax') throw new TypeError(`${op}: ${name} is missing`);
      args.push(value === undefined ? value : plain(op, name, value));
    }
    const options = (values.shift() ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof options !== 'object') throw new TypeError(`${op}: expected an object of options, got ${options}`);
    const kept: Record<string, unknown> = options['label'] ? { label: String(options['label']) } : {};
    for (const name of OP_OPTIONS[op]!) {
      const value = options[name];
      if (value === undefined) continue;
      kept[name] = optional.has(name) ? this.#operandOf(`${op}: ${name}`, value) : plain(op, name, value);
    }
    const method = (this.#graph as unknown as Readonly<Record<string, Method>>)[op]!;
    const result = checked(() => method.call(this.#graph, ...args, kept));
    return Array.isArray(result) ? result.map((one) => this.#made(one)) : this.#made(result as Operand);
  }

  /** Compiles the graph of these outputs. Once: what is built is not changed. */
  async build(outputs: MLNamedOperands): Promise<MLGraph> {
    this.#ready();
    const entries = Object.entries(outputs);
    if (!entries.length) throw new TypeError('build: there are no outputs');
    const named = entries.map(([name, output]) => {
      if (!name) throw new TypeError('build: the name of an output is empty');
      const operand = this.#operandOf(`build: output '${name}'`, output);
      if (this.#leaves.has(output)) throw new TypeError(`build: output '${name}' is an input or a constant`);
      return [name, operand] as const;
    });
    this.#built = true;
    return this.#context.compile(this.#graph.outputs(Object.fromEntries(named)));
  }

  static {
    for (const op of Object.keys(OP_OPTIONS)) {
      const method = function (this: MLGraphBuilder, ...given: readonly unknown[]) {
        return this.#add(op, given);
      };
      Object.defineProperty(MLGraphBuilder.prototype, op, { value: method, configurable: true, writable: true });
    }
  }
}
