import binaryKernel from '../../shaders/binary.wgsl';
import stridedKernel from '../../shaders/binary_strided.wgsl';
import unaryKernel from '../../shaders/elementwise.wgsl';
import binaryParts from '../../shaders/lib/binary.wgsl';
import functions from '../../shaders/lib/functions.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import result from '../../shaders/lib/result.wgsl';
import stored from '../../shaders/lib/stored.wgsl';
import strides from '../../shaders/lib/strides.wgsl';
import { f32, part, u32, type WgslFile, type WgslModule } from '../gpu/wgsl.ts';
import {
  BYTES,
  broadcastShapes,
  type DataType,
  elementCount,
  isFloat,
  sameShape,
  stridesOf,
  type TensorDescriptor,
} from '../tensor/types.ts';
import {
  type Candidate,
  defineOp,
  EXACT,
  FACTORS,
  FLAT,
  FLOATS,
  flatGrid,
  type Inputs,
  type Labelled,
  NUMBERS,
  type Operand,
  opError,
  type Part,
  type Shape,
  SIGNED,
  splitFlat,
  type Tolerance,
  type Values,
} from './define.ts';

/** A function of one argument with its options: an op, or the activation of an epilogue. */
export interface Activation {
  readonly name: string;
  readonly alpha?: number;
  readonly beta?: number;
}

export interface UnaryRow {
  /** FLOP of an element. */
  readonly flops: number;
  readonly types?: readonly DataType[];
  readonly output?: DataType;
  readonly alpha?: number;
  readonly beta?: number;
  readonly tolerance: Tolerance;
  /** Arguments to try it on; ±6 where absent. */
  readonly values?: Values;
}

/** 1/1024: WGSL promises no more of functions that GPUs approximate by an instruction. */
export const FAST: Tolerance = { absolute: 1 / 1024 };
/** 1e-6 absolute: for functions whose small results are differences. */
export const NEAR_ZERO: Tolerance = { ulps: 18, absolute: 1e-6 };
export const TWO_STEPS: Tolerance = { ulps: 2, absolute: 1e-7 };

export interface BinaryRow {
  readonly types: readonly DataType[];
  readonly output?: DataType;
  /** The part that computes it of integers, where they have one of their own. */
  readonly integers?: string;
  /** Names of the operands. */
  readonly operands?: readonly [string, string];
  readonly tolerance: Tolerance;
  /** Arguments to try it on; `random` where absent. */
  readonly values?: readonly [Values, Values];
}

/** Functions of one and of two arguments that are loaded, and the file whose part of that name computes each. */
export const UNARY = new Map<string, { readonly row: UnaryRow; readonly file: WgslFile }>();
export const BINARY = new Map<string, BinaryRow>();

/** The part of functions.wgsl that a type has. */
const kindOf = (dataType: DataType): 'float' | 'integer' => (isFloat(dataType) ? 'float' : 'integer');

/** The ports and constants of `apply`. */
export function activationPorts(
  { name, alpha, beta }: Activation,
  dataType: DataType = 'float32',
): { ports: WgslModule[]; constants: Record<string, string> } {
  const { row, file } = UNARY.get(name)!;
  const literal = isFloat(dataType) ? f32 : integerLiteral(dataType);
  const constants: Record<string, string> = {};
  if (row.alpha !== undefined) constants['ALPHA'] = literal(alpha ?? row.alpha);
  if (row.beta !== undefined) constants['BETA'] = literal(beta ?? row.beta);
  const kind = kindOf(dataType);
  return {
    ports: file === functions ? [part(functions, kind, name)] : [part(file, name), part(functions, kind)],
    constants,
  };
}

const RANGES: Partial<Record<DataType, [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int32: [-2147483648, 2147483647],
  uint32: [0, 4294967295],
};

/** The integer of a type that is nearest to a number; 0 for NaN. */
export function nearest(dataType: DataType, value: number): number {
  const [low, high] = RANGES[dataType]!;
  return Math.round(Math.max(low, Math.min(high, value))) || 0;
}

export function integerLiteral(dataType: DataType): (value: number) => string {
  const type = dataType.startsWith('u') ? 'u32' : 'i32';
  return (value) => `${type}(${nearest(dataType, value)})`;
}

function unaryCandidate(
  name: string,
  inputs: Inputs,
  output: { dataType: DataType; shape: Shape },
  activation: Activation,
): Candidate[] {
  const { dataType } = inputs['input']!;
  const { ports, constants } = activationPorts(activation, dataType);
  const count4 = Math.ceil(elementCount(output.shape) / 4);
  const types = output.dataType === dataType ? dataType : `${dataType},${output.dataType}`;
  return [
    {
      label: `elementwise[${types},${name}]`,
      variant: {
        kernel: unaryKernel,
        ports: [grid, part(stored, dataType), part(result, output.dataType), ...ports],
        constants: { WG: u32(FLAT), ...constants },
      },
      params: { count4 },
      grid: flatGrid(count4, FLAT),
    },
  ];
}

function unaryPieces(
  candidate: Candidate,
  inputs: Inputs,
  _options: unknown,
  output: TensorDescriptor,
  limit: number,
): Part[] {
  const elements = { input: BYTES[inputs['input']!.dataType], output: BYTES[output.dataType] };
  return splitFlat(candidate, Math.ceil(elementCount(output.shape) / 4), elements, limit);
}

type Unary = (input: Operand, options?: { alpha?: number; beta?: number } & Labelled) => Operand;

const unaryOp = (name: string, { flops, types = FLOATS, output, tolerance, values, alpha, beta }: UnaryRow) =>
  defineOp<{ alpha?: number; beta?: number }, Unary>({
    name,
    operands: { input: { types } },
    options: [...(alpha === undefined ? [] : ['alpha']), ...(beta === undefined ? [] : ['beta'])],
    elementwise: true,
    activation: name !== 'identity' && !output,
    tolerance,
    values: () => values,
    infer: ({ input }) => ({ dataType: output ?? input!.dataType, shape: input!.shape }),
    candidates: (inputs, options, output) => unaryCandidate(name, inputs, output, { name, ...options }),
    pieces: unaryPieces,
    cost: (_inputs, _options, { shape }) => ({ macs: 0, flops: flops * elementCount(shape) }),
  });

type Cast = (input: Operand, type: DataType, options?: Labelled) => Operand;

/** cast: numbers in another type. Integers drop the fraction and wrap around, those of 64 bits at 32 (`NUMBERS`). */
export const cast = defineOp<{ to: DataType }, Cast>({
  name: 'cast',
  operands: { input: { types: NUMBERS } },
  args: ['to'],
  elementwise: true,
  tolerance: { ulps: 0 },
  infer: ({ input }, { to }) => ({ dataType: to, shape: input!.shape }),
  candidates: (inputs, { to }, output) =>
    unaryCandidate('cast', inputs, { ...output, dataType: to }, { name: 'identity' }),
  pieces: unaryPieces,
});

/** Axes of the output as (size, stride in each operand). Neighbouring axes that are contiguous in all operands are one. */
export function broadcastAxes(shape: Shape, operands: readonly Shape[]): number[][] {
  const strideLists = operands.map((operand) => {
    const own = stridesOf(operand);
    return shape.map((_, d) => {
      const at = d - (shape.length - operand.length);
      return at < 0 || operand[at] === 1 ? 0 : own[at]!;
    });
  });
  const axes: number[][] = [];
  shape.forEach((size, d) => {
    const strides = strideLists.map((list) => list[d]!);
    const last = axes.at(-1);
    if (size === 1 && axes.length) return;
    if (last && strides.every((stride, i) => last[i + 1] === stride * size)) {
      last[0]! *= size;
      strides.forEach((stride, i) => {
        last[i + 1] = stride;
      });
    } else axes.push([size, ...strides]);
  });
  return axes.length ? axes : [[1, ...operands.map(() => 0)]];
}

export function stridedParams(op: string, shape: Shape, operands: readonly Shape[]) {
  const axes = broadcastAxes(shape, operands);
  if (axes.length > 8) throw opError('wrong-shape', op, `broadcasting over ${axes.length} separate axes, 8 at most`);
  return {
    count: elementCount(shape),
    rank: axes.length,
    axes: axes.flatMap((axis) => [...axis, 0, 0, 0, 0].slice(0, 4)),
  };
}

/** The period of an operand in vec4; undefined where it is no multiple of 4 elements. */
function period(operand: Shape, shape: Shape): number | undefined {
  const count = elementCount(operand);
  if (count === 1 || elementCount(shape) === count) return Math.ceil(count / 4);
  const trimmed = operand.slice(operand.findIndex((size) => size !== 1));
  const suffix = sameShape(trimmed, shape.slice(shape.length - trimmed.length));
  return suffix && count % 4 === 0 ? count / 4 : undefined;
}

type Binary = (a: Operand, b: Operand, options?: Labelled) => Operand;

const binaryOp = (
  file: WgslFile,
  name: string,
  { types, output, integers = name, operands: [a, b] = ['a', 'b'], tolerance, values }: BinaryRow,
) =>
  defineOp<object, Binary>({
    name,
    operands: { [a]: { types }, [b]: { as: a } },
    elementwise: true,
    tolerance,
    values: (operand) => values?.[operand === a ? 0 : 1],
    infer(inputs) {
      const [x, y] = [inputs[a]!, inputs[b]!];
      return { dataType: output ?? x.dataType, shape: broadcastShapes(name, x.shape, y.shape) };
    },
    candidates(inputs, _options, { dataType, shape }) {
      const [x, y] = [inputs[a]!, inputs[b]!];
      const arithmetic = [part(file, isFloat(x.dataType) ? name : integers), part(functions, kindOf(x.dataType))];
      const ports = [grid, part(stored, x.dataType), part(result, dataType), ...arithmetic];
      const [p, q] = [period(x.shape, shape), period(y.shape, shape)];
      const count4 = Math.ceil(elementCount(shape) / 4);
      const common = { grid: flatGrid(count4, FLAT), bind: { a, b } };
      const constants = { WG: u32(FLAT) };
      const strided: Candidate = {
        label: `binary_strided[${x.dataType},${name}]`,
        variant: { kernel: stridedKernel, ports: [...ports, strides], constants },
        params: stridedParams(name, shape, [x.shape, y.shape]),
        ...common,
      };
      if (p === undefined || q === undefined) return [strided];
      const whole = elementCount(shape);
      const splat = (operand: Shape): number => Number(elementCount(operand) === 1 && whole > 1);
      const flat: Candidate = {
        label: `binary[${x.dataType},${name}]`,
        variant: { kernel: binaryKernel, ports, constants },
        params: { count4, a_period: p, b_period: q, a_splat: splat(x.shape), b_splat: splat(y.shape) },
        ...common,
      };
      return [flat, strided];
    },
    pieces(candidate, inputs, _options, output, limit) {
      const { a_period: p, b_period: q } = candidate.params as Record<string, number | undefined>;
      if (p === undefined || q === undefined)
        throw opError('wrong-shape', name, 'operands of this size broadcast only in whole vec4');
      const count4 = Math.ceil(elementCount(output.shape) / 4);
      const element = BYTES[inputs[a]!.dataType];
      const elements = {
        output: BYTES[output.dataType],
        ...(p === count4 && { a: element }),
        ...(q === count4 && { b: element }),
      };
      const repeats = [p, q].filter((period) => period !== count4);
      return splitFlat(candidate, count4, elements, limit, Math.max(1, ...repeats));
    },
    cost: (_inputs, _options, { shape }) => ({ macs: 0, flops: elementCount(shape) }),
  });

const each = <Row, Made>(rows: Readonly<Record<string, Row>>, make: (name: string, row: Row) => Made) =>
  Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, make(name, row)]));

/**
 * Defines ops of one argument. Their WGSL is the part of their name in `file`; tolerances are those of the W3C's WebNN
 * tests.
 */
export function defineUnary<Name extends string>(file: WgslFile, rows: Readonly<Record<Name, UnaryRow>>) {
  return each<UnaryRow, ReturnType<typeof unaryOp>>(rows, (name, row) => {
    UNARY.set(name, { row, file });
    return unaryOp(name, row);
  }) as Record<Name, ReturnType<typeof unaryOp>>;
}

/** Defines ops of two arguments, as `defineUnary`. */
export function defineBinary<Name extends string>(file: WgslFile, rows: Readonly<Record<Name, BinaryRow>>) {
  return each<BinaryRow, ReturnType<typeof binaryOp>>(rows, (name, row) => {
    BINARY.set(name, row);
    return binaryOp(file, name, row);
  }) as Record<Name, ReturnType<typeof binaryOp>>;
}

export const unary = defineUnary(functions, {
  identity: { flops: 0, types: NUMBERS, tolerance: EXACT },
  neg: { flops: 1, types: SIGNED, tolerance: EXACT },
  reciprocal: { flops: 1, tolerance: TWO_STEPS, values: 'random' },
  sqrt: { flops: 1, tolerance: { ulps: 1 }, values: 'positive' },
  exp: { flops: 1, tolerance: { ulps: 32 } },
  tanh: { flops: 1, tolerance: FAST },
  sigmoid: { flops: 3, tolerance: { ulps: 34 } },
  swish: { flops: 5, alpha: 1, tolerance: { ulps: 40 } },
  relu: { flops: 1, types: SIGNED, tolerance: EXACT },
  clamp: {
    flops: 2,
    types: NUMBERS,
    alpha: Number.NEGATIVE_INFINITY,
    beta: Number.POSITIVE_INFINITY,
    tolerance: EXACT,
  },
  linear: { flops: 2, alpha: 1, beta: 0, tolerance: TWO_STEPS },
  gelu: { flops: 20, tolerance: NEAR_ZERO },
  gelu_tanh: { flops: 9, tolerance: NEAR_ZERO },
});

export const binary = defineBinary(binaryParts, {
  add: { types: NUMBERS, tolerance: { ulps: 1 } },
  sub: { types: NUMBERS, tolerance: { ulps: 1 } },
  mul: { types: FACTORS, tolerance: { ulps: 1 } },
  div: { types: NUMBERS, tolerance: TWO_STEPS },
  max: { types: NUMBERS, tolerance: EXACT },
  min: { types: NUMBERS, tolerance: EXACT },
});
