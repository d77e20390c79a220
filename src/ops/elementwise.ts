import binaryKernel from '../../shaders/binary.wgsl';
import stridedKernel from '../../shaders/binary_strided.wgsl';
import unaryKernel from '../../shaders/elementwise.wgsl';
import binaryParts from '../../shaders/lib/binary.wgsl';
import erf from '../../shaders/lib/erf.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import result from '../../shaders/lib/result.wgsl';
import stored from '../../shaders/lib/stored.wgsl';
import strides from '../../shaders/lib/strides.wgsl';
import unaryParts from '../../shaders/lib/unary.wgsl';
import whereKernel from '../../shaders/where.wgsl';
import { f32, part, u32, type WgslModule } from '../gpu/wgsl.ts';
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
  FLAT,
  flatGrid,
  type Inputs,
  need,
  needSameType,
  type Op,
  opError,
  type Part,
  type Shape,
  splitFlat,
} from './define.ts';

/** A function of one argument with its options: an op of its own, or the activation that ends another kernel. */
export interface Activation {
  readonly name: string;
  readonly alpha?: number;
  readonly beta?: number;
}

interface UnaryRow {
  /** FLOP an element, as the profiler counts them. */
  readonly flops: number;
  readonly types?: readonly DataType[];
  readonly alpha?: number;
  readonly beta?: number;
}

const FLOATS: readonly DataType[] = ['float32', 'float16'];
const SIGNED: readonly DataType[] = [...FLOATS, 'int32', 'int8'];
const ALL: readonly DataType[] = [...SIGNED, 'uint32', 'uint8'];

/** The table of functions of one argument; their WGSL stands under the same names in shaders/lib/unary.wgsl. */
export const UNARY: Readonly<Record<string, UnaryRow>> = {
  identity: { flops: 0, types: ALL },
  abs: { flops: 1, types: SIGNED },
  neg: { flops: 1, types: SIGNED },
  sign: { flops: 1, types: SIGNED },
  ceil: { flops: 1 },
  floor: { flops: 1 },
  reciprocal: { flops: 1 },
  sqrt: { flops: 1 },
  exp: { flops: 1 },
  log: { flops: 1 },
  sin: { flops: 1 },
  cos: { flops: 1 },
  tan: { flops: 1 },
  tanh: { flops: 1 },
  sigmoid: { flops: 3 },
  relu: { flops: 1, types: SIGNED },
  clamp: { flops: 2, types: ALL, alpha: Number.NEGATIVE_INFINITY, beta: Number.POSITIVE_INFINITY },
  leakyRelu: { flops: 2, alpha: 0.01 },
  elu: { flops: 3, alpha: 1 },
  hardSigmoid: { flops: 4, alpha: 0.2, beta: 0.5 },
  hardSwish: { flops: 5 },
  linear: { flops: 2, alpha: 1, beta: 0 },
  softplus: { flops: 5 },
  softsign: { flops: 3 },
  erf: { flops: 16 },
  gelu: { flops: 20 },
  gelu_tanh: { flops: 9 },
  logicalNot: { flops: 1, types: ['uint8'] },
};

/** The table of functions of two arguments; their WGSL stands under the same names in shaders/lib/binary.wgsl. */
export const BINARY: Readonly<Record<string, { types: readonly DataType[]; output?: DataType; b?: string }>> = {
  add: { types: ALL },
  sub: { types: ALL },
  mul: { types: ALL },
  div: { types: ALL },
  max: { types: ALL },
  min: { types: ALL },
  pow: { types: FLOATS },
  prelu: { types: SIGNED, b: 'slope' },
  equal: { types: ALL, output: 'uint8' },
  notEqual: { types: ALL, output: 'uint8' },
  greater: { types: ALL, output: 'uint8' },
  greaterOrEqual: { types: ALL, output: 'uint8' },
  lesser: { types: ALL, output: 'uint8' },
  lesserOrEqual: { types: ALL, output: 'uint8' },
  logicalAnd: { types: ['uint8'], output: 'uint8' },
  logicalOr: { types: ['uint8'], output: 'uint8' },
  logicalXor: { types: ['uint8'], output: 'uint8' },
};

/** The modules and constants that give a kernel its `apply`. */
export function activationPorts(
  { name, alpha, beta }: Activation,
  dataType: DataType = 'float32',
): { ports: WgslModule[]; constants: Record<string, string> } {
  const row = UNARY[name]!;
  const literal = isFloat(dataType) ? f32 : integerLiteral(dataType);
  const constants: Record<string, string> = {};
  if (row.alpha !== undefined) constants['ALPHA'] = literal(alpha ?? row.alpha);
  if (row.beta !== undefined) constants['BETA'] = literal(beta ?? row.beta);
  const needsErf = name === 'erf' || name === 'gelu';
  return { ports: [...(needsErf ? [erf] : []), part(unaryParts, name)], constants };
}

const RANGES: Partial<Record<DataType, [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int32: [-2147483648, 2147483647],
  uint32: [0, 4294967295],
};

function integerLiteral(dataType: DataType): (value: number) => string {
  const [low, high] = RANGES[dataType]!;
  const type = dataType.startsWith('u') ? 'u32' : 'i32';
  return (value) => `${type}(${Math.round(Math.max(low, Math.min(high, value)))})`;
}

const needType = (op: string, name: string, dataType: DataType, types: readonly DataType[]): void => {
  if (!types.includes(dataType))
    throw opError('wrong-type', op, `${name} is ${dataType}, expected one of ${types.join(', ')}`);
};

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

const unaryOp = (name: string, { flops, types = FLOATS }: UnaryRow): Op =>
  defineOp<{ alpha?: number; beta?: number }>({
    name,
    pointwise: true,
    infer(inputs) {
      const input = need(inputs, 'input', name);
      needType(name, 'input', input.dataType, types);
      return { dataType: input.dataType, shape: input.shape };
    },
    candidates: (inputs, options, output) => unaryCandidate(name, inputs, output, { name, ...options }),
    pieces: unaryPieces,
    cost: (_inputs, _options, { shape }) => ({ macs: 0, flops: flops * elementCount(shape) }),
  });

export const cast = defineOp<{ to: DataType }>({
  name: 'cast',
  pointwise: true,
  infer: (inputs, { to }) => ({ dataType: to, shape: need(inputs, 'input', 'cast').shape }),
  candidates: (inputs, { to }, output) =>
    unaryCandidate('cast', inputs, { ...output, dataType: to }, { name: 'identity' }),
  pieces: unaryPieces,
});

/** Axes of the output as (size, stride in each operand): neighbours that all operands walk in step are one axis. */
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

/** Vec4 after which an operand repeats, or undefined where it does not repeat in whole vec4. */
function period(operand: Shape, shape: Shape): number | undefined {
  const count = elementCount(operand);
  if (count === 1 || elementCount(shape) === count) return Math.ceil(count / 4);
  const trimmed = operand.slice(operand.findIndex((size) => size !== 1));
  const suffix = sameShape(trimmed, shape.slice(shape.length - trimmed.length));
  return suffix && count % 4 === 0 ? count / 4 : undefined;
}

const binaryOp = (name: string, { types, output, b = 'b' }: (typeof BINARY)[string]): Op => {
  const a = b === 'b' ? 'a' : 'input';
  return defineOp<object>({
    name,
    pointwise: true,
    infer(inputs) {
      const [x, y] = [need(inputs, a, name), need(inputs, b, name)];
      needType(name, a, x.dataType, types);
      needSameType(name, inputs, [a, b]);
      return { dataType: output ?? x.dataType, shape: broadcastShapes(name, x.shape, y.shape) };
    },
    candidates(inputs, _options, { dataType, shape }) {
      const [x, y] = [inputs[a]!, inputs[b]!];
      const ports = [grid, part(stored, x.dataType), part(result, dataType), part(binaryParts, name)];
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
};

export const where = defineOp<object>({
  name: 'where',
  infer(inputs) {
    const [condition, x, y] = [
      need(inputs, 'condition', 'where'),
      need(inputs, 'trueValue', 'where'),
      need(inputs, 'falseValue', 'where'),
    ];
    needType('where', 'condition', condition.dataType, ['uint8']);
    needSameType('where', inputs, ['trueValue', 'falseValue']);
    return {
      dataType: x.dataType,
      shape: broadcastShapes('where', condition.shape, broadcastShapes('where', x.shape, y.shape)),
    };
  },
  candidates({ condition, trueValue, falseValue }, _options, { dataType, shape }) {
    return [
      {
        label: `where[${dataType}]`,
        variant: {
          kernel: whereKernel,
          ports: [grid, part(stored, dataType), part(result, dataType), strides],
          constants: { WG: u32(FLAT) },
        },
        params: stridedParams('where', shape, [condition!.shape, trueValue!.shape, falseValue!.shape]),
        grid: flatGrid(Math.ceil(elementCount(shape) / 4), FLAT),
      },
    ];
  },
});

export const elementwise: readonly Op[] = [
  ...Object.entries(UNARY).map(([name, row]) => unaryOp(name, row)),
  ...Object.entries(BINARY).map(([name, row]) => binaryOp(name, row)),
  cast,
  where,
];
