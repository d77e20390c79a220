import { TilewrightError } from '../errors.ts';
import type { Caps } from '../gpu/gpu.ts';
import type { ParamValues, Variant } from '../gpu/wgsl.ts';
import type { DataType, TensorDescriptor } from '../tensor/types.ts';

export type Shape = readonly number[];
/** Operands of an op by name: the names are those of WebNN's arguments, and of the bindings in the shader. */
export type Inputs = Readonly<Record<string, TensorDescriptor>>;

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
export interface Rewriter<T extends TensorDescriptor> {
  add(op: string, inputs: Readonly<Record<string, T | undefined>>, options?: object): T;
  constant(dataType: DataType, shape: Shape, values: readonly number[]): T;
}

/** Everything the engine knows of an op. */
export interface OpDefinition<Options> {
  readonly name: string;
  /** Names of the results, where there are others than `output`; of as many as there are, `output0`, `output1`, where absent. */
  readonly results?: readonly string[];
  /** Shapes and types of the results, or an error that names the numbers. */
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
  decompose?<T extends TensorDescriptor>(
    inputs: Readonly<Record<string, T>>,
    options: Options,
    rewriter: Rewriter<T>,
  ): T | readonly T[] | undefined;
  /** The parts of a candidate each of which has at most `limit` bytes in a binding. Without it, large operands are an error. */
  pieces?(candidate: Candidate, inputs: Inputs, options: Options, output: TensorDescriptor, limit: number): Part[];
  /** Where each row of the output, along its first axis, is made of the same row of the inputs alone: the options for `rows` of them. */
  rowwise?(inputs: Inputs, options: Options, rows: number): Options | undefined;
  cost?(inputs: Inputs, options: Options, output: TensorDescriptor): Cost;
  /** The output is this input under another shape: no kernel runs. */
  readonly alias?: string;
  /** The output is written onto this input, which is a state. */
  readonly inPlace?: string;
  /** Scales: where what it makes of a weight at load is not finite, the load fails and names the weight. */
  readonly finite?: boolean;
  /** The output does not change when the elements of the input are permuted and permuted back: transposes may pass. */
  readonly pointwise?: boolean;
}

export type Op = OpDefinition<unknown>;

/** Gives a definition its place in the table of ops, where the type of its options is forgotten. */
export const defineOp = <Options>(definition: OpDefinition<Options>): Op => definition as unknown as Op;

export const ELEM: Partial<Record<DataType, string>> = { float32: 'f32', float16: 'f16' };

export const opError = (
  code: 'wrong-shape' | 'wrong-type' | 'invalid-argument',
  op: string,
  message: string,
): TilewrightError => new TilewrightError(code, `${op}: ${message}`);

/** The operand, or an error: for the ones that an op cannot do without. */
export function need<T>(inputs: Readonly<Record<string, T>>, name: string, op: string): T {
  const found = inputs[name];
  if (found === undefined) throw new TilewrightError('invalid-argument', `${op}: the operand '${name}' is missing`);
  return found;
}

export function needFloat(op: string, name: string, { dataType }: TensorDescriptor): void {
  if (!ELEM[dataType]) throw opError('wrong-type', op, `${name} is ${dataType}, expected float32 or float16`);
}

export function needSameType(op: string, inputs: Inputs, names: readonly string[]): void {
  const [first, ...rest] = names.filter((name) => inputs[name]);
  for (const name of rest) {
    const expected = inputs[first!]!.dataType;
    const got = inputs[name]!.dataType;
    if (got !== expected) throw opError('wrong-type', op, `${name} is ${got}, ${first} is ${expected}`);
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
export const resultNames = ({ results }: Pick<Op, 'results'>, count: number): readonly string[] =>
  results ?? (count === 1 ? ['output'] : Array.from({ length: count }, (_, i) => `output${i}`));
