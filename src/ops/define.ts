import { TilewrightError } from '../errors.ts';
import type { Caps } from '../gpu/gpu.ts';
import type { ParamValues, Variant } from '../gpu/wgsl.ts';
import type { DataType, TensorDescriptor } from '../tensor/types.ts';

export type Shape = readonly number[];
/** Operands of an op by name: the names are those of WebNN's arguments, and of the bindings in the shader. */
export type Inputs = Readonly<Record<string, TensorDescriptor>>;

/**
 * A result of a node: SSA, immutable, static shape. A node is its first result; an op with several has the others beside it.
 * What has no op of its own is a leaf: `input`, `constant`, `state`, `scratch`. A graph is what hangs on its outputs, so code
 * nobody asks for is never there.
 */
export interface Operand extends TensorDescriptor {
  readonly op: string;
  readonly inputs: Readonly<Record<string, Operand>>;
  readonly options: object;
  /** Where it comes from, for people: `layer1.0.conv1`. */
  readonly label: string | undefined;
  /** Hangs on constants alone: no run changes it. */
  readonly constant: boolean;
  /** All results of the node in the order of the op's definition, this one among them. The first stands for the node. */
  readonly results: readonly Operand[];
}

/** A node whose op is known, and so what its options are. */
export type NodeOf<Options> = Operand & { readonly op: { readonly known: true }; readonly options: Options };

/** What an operand may be. Whatever is not said is free. */
export interface OperandSpec {
  readonly types?: readonly DataType[];
  /** The least and the most dimensions. */
  readonly rank?: readonly [number, number];
  /** May be left out. An optional operand is one of the builder's options, unless it is `positional`. */
  readonly optional?: true;
  readonly positional?: true;
  /** Stands for a list of operands, `input0`, `input1` and so on where the key is `input`. */
  readonly list?: true;
  /** Has the type of this operand. */
  readonly as?: string;
}

/** One way to compute an op on this device. */
export interface Candidate {
  /** `matmul_registers[f32,q8,bias_gelu,8x4]`: label of the pipeline, row in the profile, title of the test. */
  readonly label: string;
  readonly variant: Variant;
  /** Numbers for the uniforms, by WGSL field name. */
  readonly params: ParamValues;
  /** Workgroups. */
  readonly grid: readonly [number, number, number];
  /** Shader binding to operand, result or scratch, where the names differ. */
  readonly bind?: Readonly<Record<string, string>>;
  /** Shader binding to the bytes of its operand that are bound, where that is not all of them. */
  readonly ranges?: Readonly<Record<string, ByteRange>>;
  /** Several dispatches, in this order, each with what it has of its own: inputs of a concat, pieces of a large operand. */
  readonly parts?: readonly Part[];
  /** Tensors between the parts, by the name that bindings know them by. Memory is planned for them as for intermediates. */
  readonly scratch?: Readonly<Record<string, TensorDescriptor>>;
}

/** One of the dispatches of a candidate. */
export type Part = Partial<Pick<Candidate, 'variant' | 'params' | 'grid' | 'bind' | 'ranges'>>;

export interface ByteRange {
  readonly offset: number;
  readonly size: number;
}

export interface Cost {
  /** Multiply-accumulates; 0 for what is no matrix work. */
  readonly macs: number;
  readonly flops: number;
  /** Bytes moved at the least, where that is not all inputs and the output once. */
  readonly bytes?: number;
}

/** What a decomposition builds with; `add` infers, checks and returns the new operand: the first result. */
export interface Rewriter {
  add(op: string, inputs: Readonly<Record<string, Operand | undefined>>, options?: object): Operand;
  constant(dataType: DataType, shape: Shape, values: readonly number[]): Operand;
}

type Operands = Readonly<Record<string, Operand>>;

/** How far a result may be off. 1 ulp is 2^-23 of the element's mass. */
export interface Tolerance {
  /** Units in the last place of float32, in which the kernels compute. */
  readonly ulps?: number;
  readonly absolute?: number;
  /** How often the number was rounded to the type it is stored in: what counts where that is float16. */
  readonly roundings?: number;
}

/** What an input is filled with where an op is tried. Never zeros, but for `mask`. */
export type Values =
  /** ±0.1 to ±1; signed bytes over their whole range, other integers to a thousand. */
  | 'random'
  /** 0.1 to 2; integers from 1. */
  | 'positive'
  /** Small whole numbers, so that equal ones meet. */
  | 'few'
  /** Random floats, and of each 48 one that is NaN, infinite or zero, of either sign. */
  | 'special'
  /** 0, 1 and 2: false and true. */
  | 'mask'
  /** Evenly from `low` to `high`, whole for integer types. */
  | { readonly low: number; readonly high: number }
  /** These, in every run. */
  | readonly number[]
  /** These in run 0, others in run 1. */
  | ((run: number) => readonly number[]);

/** The operand of an op that is its weights. */
export interface WeightSpec {
  readonly operand: string;
  /** Axis along which output channels lie (rows of a table), and the one that is summed over. */
  readonly channels: number;
  readonly depth: number;
  /** Whether scales may be one for each group along `depth`, and weights int4. */
  readonly groups: boolean;
  readonly int4: boolean;
  /** Whether kernels take int8 with scales as the weights lie. */
  readonly fuses: boolean;
  /** Options that keep the op's type where the weights get another. */
  readonly options?: object;
}

/** The product of int8 by int8 that an op can become. */
export interface IntegerForm {
  readonly op: string;
  /** Operands of the float op: what is quantised at run time, and the weights. */
  readonly left: string;
  readonly weights: string;
  /** The scale of the left operand in the integer op, and whether it may be one a row. */
  readonly scale: string;
  readonly rows: boolean;
  /** Axes of the weights in the order that the integer kernels read; undefined where they lie so. */
  readonly permutation: readonly number[] | undefined;
  readonly options: object;
}

/** Everything the engine knows of an op. `Method` is its method in the builder. */
export interface OpDefinition<Options, Method = unknown> {
  readonly name: string;
  /** In the order of WebNN's arguments. */
  readonly operands: Readonly<Record<string, OperandSpec>>;
  /** Options that the builder takes as arguments, after the operands. */
  readonly args?: readonly string[];
  /** Names of the other options. */
  readonly options?: readonly string[];
  /** Names of the results where there are several, or `many`: `output0`, `output1`. The one result of the others is `output`. */
  readonly results?: readonly string[] | 'many';
  /** Shapes and types of the results, or an error that names the numbers. `operands` are checked before. */
  infer(inputs: Inputs, options: Options): TensorDescriptor | readonly TensorDescriptor[];
  /** Kernel variants that are legal here, the best guess first. Pure. `output` is the first of the results. */
  candidates?(
    inputs: Inputs,
    options: Options,
    output: TensorDescriptor,
    caps: Caps,
    results: readonly TensorDescriptor[],
  ): Candidate[];
  /** An op that is other ops; where it returns undefined, the op has candidates for this case. */
  decompose?(inputs: Operands, options: Options, rewriter: Rewriter): Operand | readonly Operand[] | undefined;
  /** The op in the layout that its kernels take (nhwc), with transposes around it. Undefined where it has it. */
  channelsLast?(inputs: Operands, options: Options, rewriter: Rewriter): Operand | undefined;
  /** The parts of a candidate each of which has at most `limit` bytes in a binding. Without it, large operands are an error. */
  pieces?(candidate: Candidate, inputs: Inputs, options: Options, output: TensorDescriptor, limit: number): Part[];
  /** Row i of the output, along its first axis, depends on row i of the inputs only. Returns the options for a slab of `rows` rows. */
  rowwise?(inputs: Inputs, options: Options, rows: number): Options | undefined;
  cost?(inputs: Inputs, options: Options, output: TensorDescriptor): Cost;

  // What passes ask.
  /** The output is this input under another shape: no kernel runs. */
  readonly alias?: string;
  /** The output is written onto this input, which is a state. */
  readonly inPlace?: string;
  /** Operands may have no elements where the result has some. */
  readonly takesEmpty?: boolean;
  /** Scales: where what it makes of a weight at load is not finite, the load fails and names the weight. */
  readonly finite?: boolean;
  /** Element i of the output depends on element i of the inputs only: transposes may pass. */
  readonly elementwise?: boolean;
  /** Options that list a number for each axis, and nothing else does: transposes may pass. */
  readonly perAxis?: readonly string[];
  /** The option `axis` names an axis of the input, and nothing else tells axes apart: transposes may pass. */
  readonly alongAxis?: boolean;
  /** Reduces `axes`, all where absent, and keeps them with length 1 under `keepDimensions`. */
  readonly reduces?: boolean;
  /** Ends in the operands `bias` and `residual` and the option `activation`, in this order. */
  readonly epilogue?: boolean;
  /** Can be such an activation. */
  readonly activation?: boolean;
  weight?(inputs: Inputs, options: Options): WeightSpec | undefined;
  integer?(inputs: Inputs, options: Options): IntegerForm | undefined;
  /** Needs the passes of quantisation. */
  readonly quantizes?: boolean;
  /** The group of a form that some are faster in, by its passes. */
  readonly form?: string;

  // What the self-check asks.
  /** Sums where absent: (2√K + 8) · 2^-24 of the mass. */
  readonly tolerance?: Tolerance | ((inputs: Readonly<Record<string, unknown>>) => Tolerance);
  /** What to fill operands with; random numbers where absent. */
  values?(name: string, inputs: Inputs, options: Options): Values | undefined;

  /** Whether a node is one of this op; narrows its options. */
  is(node: Operand): node is NodeOf<Options>;
  /** For types alone. */
  readonly method?: Method;
}

export type Op = OpDefinition<unknown>;

/** Every option of WebNN's operators may carry a label, which errors and the profile name. */
export interface Labelled {
  label?: string;
}

/** Makes a definition. Type arguments: its options, and its method in the builder. */
export const defineOp = <Options, Method = unknown>(
  definition: Omit<OpDefinition<Options, Method>, 'is'>,
): OpDefinition<Options, Method> => ({
  ...definition,
  is: (node): node is NodeOf<Options> => node.op === definition.name,
});

export const ELEM: Partial<Record<DataType, string>> = { float32: 'f32', float16: 'f16' };

export const opError = (
  code: 'wrong-shape' | 'wrong-type' | 'invalid-argument',
  op: string,
  message: string,
): TilewrightError => new TilewrightError(code, `${op}: ${message}`);

export const FLOATS: readonly DataType[] = ['float32', 'float16'];
export const SIGNED: readonly DataType[] = [...FLOATS, 'int32', 'int8', 'int64'];
/** int64 and uint64 are computed in 32 bits: sums and casts that leave those wrap around. */
export const NUMBERS: readonly DataType[] = [...SIGNED, 'uint32', 'uint8', 'uint64'];
/** Of these, what may be multiplied: products of 64 bits would wrap around unseen, and are refused. */
export const factors = (types: readonly DataType[]): readonly DataType[] => types.filter((type) => !/64/.test(type));
export const INDICES: readonly DataType[] = ['int32', 'uint32', 'int64'];

/** Nothing is computed. */
export const EXACT: Tolerance = { ulps: 0, roundings: 0 };
/** Sums of K: (2√K + 8) · 2^-24 of the mass, which is √K + 4 ulps. */
export const SUM: Tolerance = { ulps: 4 };

/** Scales of quantised numbers. */
export const SCALES: Values = { low: 0.005, high: 0.02 };

/** Neighbouring rows: the last `count` of `rows` in the first run, some in the middle in the second. */
export const rowsWithin =
  (rows: number, count: number): Values =>
  (run) => {
    const room = Math.max(0, rows - count);
    return Array.from({ length: count }, (_, i) => (run ? room >> 1 : room) + i);
  };

/** Operands that many ops have: float numbers, and whatever there is. */
export const FLOAT: OperandSpec = { types: FLOATS };
export const ANY: OperandSpec = {};
/** Of the type of `input`, left out at will. */
export const AS_INPUT: OperandSpec = { as: 'input', optional: true };

/** Names that may stand for an operand: `input0`, `input1` of a list. */
const inputsNamed = (inputs: Inputs, name: string, { list }: OperandSpec): string[] =>
  list ? Object.keys(inputs).filter((key) => key.startsWith(name)) : [name];

/** Checks operands by the definition: which there are, their types and ranks. */
export function checkOperands({ name: op, operands }: Op, inputs: Inputs): void {
  for (const [key, spec] of Object.entries(operands)) {
    const { optional, types, rank, as } = spec;
    for (const name of inputsNamed(inputs, key, spec)) {
      const input = inputs[name];
      if (!input) {
        if (optional) continue;
        throw opError('invalid-argument', op, `the operand '${name}' is missing`);
      }
      const { dataType, shape } = input;
      if (types && !types.includes(dataType))
        throw opError('wrong-type', op, `${name} is ${dataType}, expected ${types.join(' or ')}`);
      const other = inputs[as ?? ''];
      if (other && other.dataType !== dataType)
        throw opError('wrong-type', op, `${name} is ${dataType}, ${as} is ${other.dataType}`);
      if (rank && (shape.length < rank[0] || shape.length > rank[1]))
        throw opError(
          'wrong-shape',
          op,
          `${name} needs rank ${rank[1] === rank[0] ? rank[0] : Number.isFinite(rank[1]) ? `${rank[0]} or ${rank[1]}` : `${rank[0]} or more`}, got [${shape}]`,
        );
    }
  }
}

/** An axis counted from the front; negative axes count from the back. */
export function needAxis(op: string, axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= rank) {
    throw opError('invalid-argument', op, `axis ${axis} is not an axis of rank ${rank}`);
  }
  return positive;
}

/** A flat range of work items as workgroups: what exceeds 65 535 folds into a second dimension. */
export function flatGrid(items: number, workgroup: number): [number, number, number] {
  const groups = Math.max(1, Math.ceil(items / workgroup));
  const x = Math.min(groups, 65535);
  return [x, Math.ceil(groups / x), 1];
}

/** [outer, size, stride] of an axis. */
export function aroundAxis(shape: Shape, axis: number): { outer: number; size: number; stride: number } {
  const product = (part: Shape): number => part.reduce((a, b) => a * b, 1);
  return { outer: product(shape.slice(0, axis)), size: shape[axis] ?? 1, stride: product(shape.slice(axis + 1)) };
}

/** Invocations a workgroup of every kernel that walks a flat range. */
export const FLAT = 64;

/** Items in a piece start where a binding may: at multiples of 256 bytes, for items of 4 bytes or more. */
const PIECE = 64;

/**
 * Cuts `count` items into pieces that fit: `bytes` are those of an item in each binding that is cut along. A piece starts at a
 * multiple of `multiple` items.
 */
export function splitItems(
  count: number,
  bytes: Readonly<Record<string, number>>,
  limit: number,
  piece: (start: number, count: number) => Part,
  candidate: Candidate,
  multiple = 1,
): Part[] {
  const step = PIECE * multiple;
  const most = Math.floor(limit / Math.max(...Object.values(bytes)) / step) * step;
  if (most < step)
    throw new TilewrightError(
      'limit-exceeded',
      `${candidate.label}: ${step} items take more than a binding of ${limit} bytes`,
    );
  const pieces: Part[] = [];
  for (let start = 0; start < count; start += most) {
    const size = Math.min(most, count - start);
    const ranges = Object.fromEntries(
      Object.entries(bytes).map(([name, width]) => [
        name,
        { offset: start * width, size: Math.ceil((size * width) / 4) * 4 },
      ]),
    );
    const own = piece(start, size);
    const { variant } = candidate;
    const baked = variant.baked && { variant: { ...variant, baked: own.params ?? candidate.params } };
    pieces.push({ ...own, ranges, ...baked });
  }
  return pieces;
}

/** A candidate over a flat range of vec4, cut. `elements` are the bytes of an element in each binding. */
export function splitFlat(
  candidate: Candidate,
  count4: number,
  elements: Readonly<Record<string, number>>,
  limit: number,
  multiple = 1,
): Part[] {
  const bytes = Object.fromEntries(Object.entries(elements).map(([name, width]) => [name, 4 * width]));
  const piece = (_start: number, items: number): Part => ({
    params: { ...candidate.params, count4: items },
    grid: flatGrid(items, FLAT),
  });
  return splitItems(count4, bytes, limit, piece, candidate, multiple);
}

/** The name of each of `count` results, as bindings know it. */
export const resultNames = ({ results = ['output'] }: Pick<Op, 'results'>, count: number): readonly string[] =>
  results === 'many' ? Array.from({ length: count }, (_, i) => `output${i}`) : results;
