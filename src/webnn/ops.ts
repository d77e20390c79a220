import type { OperandSpec } from '../ops/define.ts';
import { opNamed } from '../ops/index.ts';

/** Ops of one operand and no options. */
export const UNARY = [
  'abs',
  'ceil',
  'cos',
  'erf',
  'exp',
  'floor',
  'identity',
  'isInfinite',
  'isNaN',
  'log',
  'logicalNot',
  'neg',
  'reciprocal',
  'roundEven',
  'sign',
  'sin',
  'sqrt',
  'tan',
  'gelu',
  'hardSwish',
  'relu',
  'sigmoid',
  'softplus',
  'softsign',
  'tanh',
] as const;

/** Ops of two operands and no options. */
export const BINARY = [
  'add',
  'sub',
  'mul',
  'div',
  'max',
  'min',
  'pow',
  'equal',
  'notEqual',
  'greater',
  'greaterOrEqual',
  'lesser',
  'lesserOrEqual',
  'logicalAnd',
  'logicalOr',
  'logicalXor',
  'gatherND',
  'matmul',
  'prelu',
] as const;

export const REDUCTIONS = [
  'reduceL1',
  'reduceL2',
  'reduceLogSum',
  'reduceLogSumExp',
  'reduceMax',
  'reduceMean',
  'reduceMin',
  'reduceProduct',
  'reduceSum',
  'reduceSumSquare',
] as const;

export const POOLS = ['averagePool2d', 'l2Pool2d', 'maxPool2d'] as const;

const ARG = ['keepDimensions', 'outputDataType'];
const WINDOW = ['padding', 'strides', 'dilations'];
const CONVOLUTION = [...WINDOW, 'groups', 'inputLayout', 'filterLayout', 'bias'];
const SCALED = ['scale', 'bias', 'epsilon'];
const CELL = ['bias', 'recurrentBias', 'layout', 'activations'];
const SEQUENCE = [...CELL, 'initialHiddenState', 'returnSequence', 'direction'];
const each = (names: readonly string[], options: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, options]));

/** Every op of the standard, with the members of its options, operands among them. Arguments are those of its definition. */
export const OP_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  ...each([...UNARY, ...BINARY], []),
  ...each(REDUCTIONS, ['axes', 'keepDimensions']),
  ...each(POOLS, [...WINDOW, 'windowDimensions', 'layout', 'roundingType', 'outputSizes']),
  argMax: ARG,
  argMin: ARG,
  batchNormalization: [...SCALED, 'axis'],
  cast: [],
  clamp: ['minValue', 'maxValue'],
  concat: [],
  conv2d: CONVOLUTION,
  convTranspose2d: [...CONVOLUTION, 'outputPadding', 'outputSizes'],
  cumulativeSum: ['exclusive', 'reversed'],
  dequantizeLinear: [],
  elu: ['alpha'],
  expand: [],
  gather: ['axis'],
  gatherElements: ['axis'],
  gemm: ['c', 'alpha', 'beta', 'aTranspose', 'bTranspose'],
  gru: [...SEQUENCE, 'resetAfter'],
  gruCell: [...CELL, 'resetAfter'],
  hardSigmoid: ['alpha', 'beta'],
  instanceNormalization: [...SCALED, 'layout'],
  layerNormalization: [...SCALED, 'axes'],
  leakyRelu: ['alpha'],
  linear: ['alpha', 'beta'],
  lstm: [...SEQUENCE, 'peepholeWeight', 'initialCellState'],
  lstmCell: [...CELL, 'peepholeWeight'],
  pad: ['mode', 'value'],
  quantizeLinear: [],
  resample2d: ['mode', 'scales', 'sizes', 'axes'],
  reshape: [],
  reverse: ['axes'],
  scatterElements: ['axis'],
  scatterND: [],
  slice: ['strides'],
  softmax: [],
  split: ['axis'],
  tile: [],
  transpose: ['permutation'],
  triangular: ['upper', 'diagonal'],
  where: [],
};

/** The operands of an op that the standard has: first those that are arguments, then those among the options. */
export function operandsOf(op: string): readonly (readonly [name: string, spec: OperandSpec, isArgument: boolean])[] {
  return Object.entries(opNamed(op).operands)
    .map(([name, spec]) => [name, spec, !spec.optional || spec.positional === true] as const)
    .filter(([name, , isArgument]) => isArgument || OP_OPTIONS[op]!.includes(name))
    .sort(([, , a], [, , b]) => Number(b) - Number(a));
}
