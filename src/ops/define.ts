import { TilewrightError } from '../errors.ts';
import type { Caps } from '../gpu/gpu.ts';
import type { ParamValues, Variant } from '../gpu/wgsl.ts';
import type { DataType, TensorDescriptor } from '../tensor/types.ts';

export type Shape = readonly number[];
/** Operands of an op by name: WebNN's arguments, and the bindings of the shader. */
export type Inputs = Readonly<Record<string, TensorDescriptor>>;

/**
 * A result of a node: SSA, immutable, static shape. The first result stands for the node. A leaf has no inputs:
 * `input`, `constant`, `state`, `scratch`.
 */
export interface Operand extends TensorDescriptor {
  readonly op: string;
  readonly inputs: Readonly<Record<string, Operand>>;
  readonly options: object;
  /** Its place in the model: `layer1.0.conv1`. */
  readonly label: string | undefined;
  /** Depends on constants only: no run changes it. */
  readonly constant: boolean;
  /** All results of the node, this one among them, in the order of the definition. */
  readonly results: readonly Operand[];
}

/** A node of a known op: its options have a type. */
export type NodeOf<Options> = Operand & { readonly op: { readonly known: true }; readonly options: Options };

/** Types and ranks of an operand; any where absent. */
export interface OperandSpec {
  readonly types?: readonly DataType[];
  /** Dimensions: at the least, at the most. */
  readonly rank?: readonly [number, number];
  /** May be left out. The builder takes it among the options, unless it is `positional`. */
  readonly optional?: true;
  readonly positional?: true;
  /** A list of operands: `input0`, `input1` and so on for the key `input`. */
  readonly list?: true;
  /** The operand whose type it has. */
  readonly as?: string;
}

/** One way to compute an op on this device. */
export interface Candidate {
  /** `matmul_registers[f32,q8,bias_gelu,8x4]`: label of the pipeline, row in the profile, title of the test. */
  readonly label: string;
  readonly variant: Variant;
  /** Numbers of the uniforms, by the name of the WGSL field. */
  readonly params: ParamValues;
  /** Workgroups. */
  readonly grid: readonly [number, number, number];
  /** Its family, where that rests on an experimental feature: it is taken only where a self-check found it right. */
  readonly experimental?: string;
  /** Operand, result or scratch by shader binding, where the names differ. */
  readonly bind?: Readonly<Record<string, string>>;
  /** Bytes that are bound, by shader binding; all of the operand where absent. */
  readonly ranges?: Readonly<Record<string, ByteRange>>;
  /** Several dispatches, in order, each with its own fields: inputs of concat, pieces of a large operand. */
  readonly parts?: readonly Part[];
  /** Tensors that live between the parts, by binding. They have slots, as intermediates have. */
  readonly scratch?: Readonly<Record<string, TensorDescriptor>>;
}

/** One of the dispatches of a candidate. */
export type Part = Partial<Pick<Candidate, 'variant' | 'params' | 'grid' | 'bind' | 'ranges'>>;

export interface ByteRange {
  readonly offset: number;
  readonly size: number;
}

export interface Cost {
  /** Multiply-accumulates of matrix products; 0 for other work. */
  readonly macs: number;
  readonly flops: number;
  /** Bytes moved at the least; inputs and outputs once where absent. */
  readonly bytes?: number;
}

/** Builds nodes for a decomposition. `add` checks, infers and returns the first result. */
export interface Rewriter {
  add(op: string, inputs: Readonly<Record<string, Operand | undefined>>, options?: object): Operand;
  constant(dataType: DataType, shape: Shape, values: readonly number[]): Operand;
}

export type Operands = Readonly<Record<string, Operand>>;

/** How far a result may be off. 1 ulp is 2^-23 of the element's mass. */
export interface Tolerance {
  /** Units in the last place of float32, in which the kernels compute. */
  readonly ulps?: number;
  readonly absolute?: number;
  /** Roundings to the type in memory; they count where that is float16. */
  readonly roundings?: number;
}

/** Numbers for an input, to try an op on. Never only zeros. */
export type Values =
  /** ±0.1 to ±1; signed bytes over their whole range, other integers to a thousand. */
  | 'random'
  /** 0.1 to 2; integers from 1. */
  | 'positive'
  /** Integers of -3 to 3 without 0: many are equal. */
  | 'few'
  /** Random floats. One of 48 is NaN, an infinity or a zero, of either sign. */
  | 'special'
  /** 0, 1 and 2: false, true, true. */
  | 'mask'
  /** Uniform from `low` to `high`; integers for integer types. */
  | { readonly low: number; readonly high: number }
  /** These, in every run. */
  | readonly number[]
  /** These in run 0, others in run 1. */
  | ((run: number) => readonly number[]);

/** The weights of an op. */
export interface WeightSpec {
  readonly operand: string;
  /** The axis of output channels (of a table: its rows), and the axis that is summed over. */
  readonly channels: number;
  readonly depth: number;
  /** Kernels take a scale for each group along `depth`. Kernels take int4. */
  readonly groups: boolean;
  readonly int4: boolean;
  /** Kernels take int8 with scales, in the layout of the weights. */
  readonly fuses: boolean;
  /** Options that keep the type of the result when the weights change theirs. */
  readonly options?: object;
}

/** The int8 by int8 product that an op can become. */
export interface IntegerForm {
  readonly op: string;
  /** Operands of the float op: the one that is quantised at run time, and the weights. */
  readonly left: string;
  readonly weights: string;
  /** The operand of the integer op for the scale of the left one. Whether it may have a scale a row. */
  readonly scale: string;
  readonly rows: boolean;
  /** The permutation of the weights to the layout of the integer kernels; undefined where they have it. */
  readonly permutation: readonly number[] | undefined;
  readonly options: object;
}

/** All that the engine knows of an op. `Method` is its method in the builder. */
export interface OpDefinition<Options, Method = unknown> {
  readonly name: string;
  /** In the order of WebNN's arguments. */
  readonly operands: Readonly<Record<string, OperandSpec>>;
  /** Options that are arguments of the builder method, after the operands. */
  readonly args?: readonly string[];
  /** Names of the other options. */
  readonly options?: readonly string[];
  /** Names of several results; `many`: `output0`, `output1` and so on. Absent: one result, `output`. */
  readonly results?: readonly string[] | 'many';
  /** Types and shapes of the results. `operands` are checked before. An error names the numbers. */
  infer(inputs: Inputs, options: Options): TensorDescriptor | readonly TensorDescriptor[];
  /** The candidates that are legal here, the best guess first. Pure. `output` is the first result. */
  candidates?(
    inputs: Inputs,
    options: Options,
    output: TensorDescriptor,
    caps: Caps,
    results: readonly TensorDescriptor[],
  ): Candidate[];
  /** The op in terms of others. Undefined: the op has candidates for this case. */
  decompose?(inputs: Operands, options: Options, rewriter: Rewriter): Operand | readonly Operand[] | undefined;
  /** The op in the layout of its kernels (nhwc), between transposes. Undefined where it has that layout. */
  channelsLast?(inputs: Operands, options: Options, rewriter: Rewriter): Operand | undefined;
  /**
   * Cuts a candidate into parts that bind at most `limit` bytes each. Absent: operands larger than a binding are an
   * error.
   */
  pieces?(candidate: Candidate, inputs: Inputs, options: Options, output: TensorDescriptor, limit: number): Part[];
  /** Row i of the output (first axis) depends on row i of the inputs only. Returns the options for a slab of `rows` rows. */
  rowwise?(inputs: Inputs, options: Options, rows: number): Options | undefined;
  cost?(inputs: Inputs, options: Options, output: TensorDescriptor): Cost;

  // Traits: passes ask these.
  /** The output is this input under another shape. No kernel runs. */
  readonly alias?: string;
  /** The first result is written onto this input, a state. */
  readonly inPlace?: string;
  /** Operands may be without elements where the result has some. */
  readonly takesEmpty?: boolean;
  /** Its results at load have to be finite: otherwise the load fails and names the weight. Set for scales. */
  readonly finite?: boolean;
  /** Element i of the output depends on element i of the inputs only. Commutes with transpose. */
  readonly elementwise?: boolean;
  /** Options with a number for each axis; nothing else depends on the order of axes. Commutes with transpose. */
  readonly perAxis?: readonly string[];
  /** `axis` is an axis of the input; nothing else depends on the order of axes. Commutes with transpose. */
  readonly alongAxis?: boolean;
  /** Reduces `axes` (all where absent). `keepDimensions` keeps them with length 1. */
  readonly reduces?: boolean;
  /** Its elements are those of the input, each once, in another order or shape: functions of elements commute with it. */
  readonly permutes?: boolean;
  /** Has an epilogue: operands `bias`, `residual`, the option `activation` and the operand `affine`, in this order. */
  readonly epilogue?: boolean;
  /** Can be the activation of an epilogue. */
  readonly activation?: boolean;
  weight?(inputs: Inputs, options: Options): WeightSpec | undefined;
  integer?(inputs: Inputs, options: Options): IntegerForm | undefined;
  /** Needs the passes of the group `quantized`. */
  readonly quantizes?: boolean;
  /** The group whose passes may write it in a faster form. */
  readonly form?: string;
  /** The group whose kernels it needs beside those of its own. */
  kernels?(inputs: Inputs, options: Options): string | undefined;

  // The self-check asks these.
  /** Absent: that of sums, (2√K + 8) · 2^-24 of the mass. */
  readonly tolerance?: Tolerance | ((inputs: Readonly<Record<string, unknown>>) => Tolerance);
  /** Numbers for operands; `random` where absent. */
  values?(name: string, inputs: Inputs, options: Options): Values | undefined;

  /** Whether a node is of this op. Narrows the type of its options. */
  is(node: Operand): node is NodeOf<Options>;
  /** A type only, never a value. */
  readonly method?: Method;
}

export type Op = OpDefinition<unknown>;

/** A label, which WebNN's operators all take: errors and the profile name it. */
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
/** Types of products. int64 and uint64 are refused: products would wrap around unseen. */
export const SIGNED_FACTORS: readonly DataType[] = [...FLOATS, 'int32', 'int8'];
export const FACTORS: readonly DataType[] = [...SIGNED_FACTORS, 'uint32', 'uint8'];
/** int64 and uint64 are 32 bits on the device: sums and casts that leave these wrap around. */
export const SIGNED: readonly DataType[] = [...SIGNED_FACTORS, 'int64'];
export const NUMBERS: readonly DataType[] = [...FACTORS, 'int64', 'uint64'];
export const INDICES: readonly DataType[] = ['int32', 'uint32', 'int64'];

/** For ops that move bits only. */
export const EXACT: Tolerance = { ulps: 0, roundings: 0 };
/** Sums of K terms: √K + 4 ulps, (2√K + 8) · 2^-24 of the mass. */
export const SUM: Tolerance = { ulps: 4 };

/** Scales of quantised numbers. */
export const SCALES: Values = { low: 0.005, high: 0.02 };

/** `count` consecutive rows: the last ones in the first run, some in the middle in the second. */
export const rowsWithin =
  (rows: number, count: number): Values =>
  (run) => {
    const room = Math.max(0, rows - count);
    return Array.from({ length: count }, (_, i) => (run ? room >> 1 : room) + i);
  };

/** Specs that many operands share: floats; any type. */
export const FLOAT: OperandSpec = { types: FLOATS };
export const ANY: OperandSpec = {};
/** Optional, of the type of `input`. */
export const AS_INPUT: OperandSpec = { as: 'input', optional: true };

/** Names of an operand: of a list `input0`, `input1` and so on. */
const inputsNamed = (inputs: Inputs, name: string, { list }: OperandSpec): string[] =>
  list ? Object.keys(inputs).filter((key) => key.startsWith(name)) : [name];

/** Checks by the definition that operands are there, and their types and ranks. */
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

/** The axis from 0 on; negative ones count from the end. */
export function needAxis(op: string, axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= rank) {
    throw opError('invalid-argument', op, `axis ${axis} is not an axis of rank ${rank}`);
  }
  return positive;
}

/** Checks an option that is one of some words. */
export function needOneOf<T extends string>(op: string, name: string, value: T, all: readonly T[]): void {
  if (!all.includes(value)) throw opError('invalid-argument', op, `${name} is ${value}, expected ${all.join(' or ')}`);
}

/** Workgroups of a flat range of work items. Beyond 65 535 they fold into a second dimension. */
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

/** Invocations of a workgroup, for kernels over a flat range. */
export const FLAT = 64;

/** Pieces start at multiples of so many items: for items of 4 bytes or more, where a binding may start (256 bytes). */
const PIECE = 64;

/**
 * Cuts `count` items into pieces that fit a binding. `bytes`: of an item, by the bindings that are cut along. A piece
 * starts at a multiple of `multiple` items.
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
    pieces.push({ ...piece(start, size), ranges });
  }
  return pieces;
}

/** The pieces of a candidate over a flat range of vec4. `elements`: bytes of an element by binding. */
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

/** The binding of each of `count` results. */
export const resultNames = ({ results = ['output'] }: Pick<Op, 'results'>, count: number): readonly string[] =>
  results === 'many' ? Array.from({ length: count }, (_, i) => `output${i}`) : results;
