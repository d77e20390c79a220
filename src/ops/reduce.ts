import argKernel from '../../shaders/arg_reduce.wgsl';
import elem from '../../shaders/lib/elem.wgsl';
import extremum from '../../shaders/lib/extremum.wgsl';
import functions from '../../shaders/lib/functions.wgsl';
import floatReducer from '../../shaders/lib/reducer.wgsl';
import integerReducer from '../../shaders/lib/reducer_integer.wgsl';
import reduction from '../../shaders/lib/reduction.wgsl';
import integerReduction from '../../shaders/lib/reduction_integer.wgsl';
import result from '../../shaders/lib/result.wgsl';
import stored from '../../shaders/lib/stored.wgsl';
import kernel from '../../shaders/reduce.wgsl';
import { part } from '../gpu/wgsl.ts';
import { type DataType, elementCount, formatShape, isFloat, type TensorDescriptor } from '../tensor/types.ts';
import {
  aroundAxis,
  type Candidate,
  defineOp,
  EXACT,
  FLOAT,
  FLOATS,
  type Inputs,
  type Labelled,
  NUMBERS,
  needAxis,
  type Operand,
  opError,
  SUM,
  type Tolerance,
  type Values,
} from './define.ts';
import { integerLiteral, nearest } from './elementwise.ts';
import { alone, lineForms } from './lines.ts';
import { WORDS, widened } from './words.ts';

interface ReduceOptions {
  axes?: readonly number[];
  keepDimensions?: boolean;
}

interface ReduceRow {
  /** Part of shaders/lib/reduction.wgsl, and of reduction_integer.wgsl. */
  readonly kind: string;
  readonly types?: readonly DataType[];
  /** FLOP an element. */
  readonly flops: number;
  /** The result of no elements. */
  readonly nothing: number;
  readonly tolerance?: Tolerance;
  readonly values?: Values;
}

const INFINITY = Number.POSITIVE_INFINITY;

/** Types of sums and products. Those of int64 and uint64 would wrap around unseen (`NUMBERS`). */
const SUMMANDS: readonly DataType[] = [...FLOATS, 'int32', 'uint32'];
/** Elements of a shared line at the most, in a mean of integers: lanes sum up to 256 rests below that. */
const MOST_RESTS = 2 ** 23;

const REDUCTIONS = {
  reduceSum: { kind: 'sum', types: SUMMANDS, flops: 1, nothing: 0 },
  reduceMean: { kind: 'mean', types: SUMMANDS, flops: 1, nothing: Number.NaN },
  reduceMax: { kind: 'max', types: NUMBERS, flops: 1, nothing: -INFINITY, tolerance: EXACT },
  reduceMin: { kind: 'min', types: NUMBERS, flops: 1, nothing: INFINITY, tolerance: EXACT },
  reduceProduct: { kind: 'product', types: SUMMANDS, flops: 1, nothing: 1 },
  reduceL1: { kind: 'l1', types: SUMMANDS, flops: 2, nothing: 0 },
  reduceL2: { kind: 'l2', flops: 2, nothing: 0 },
  reduceSumSquare: { kind: 'sum_square', types: SUMMANDS, flops: 2, nothing: 0 },
  reduceLogSum: {
    kind: 'log_sum',
    flops: 1,
    nothing: -INFINITY,
    tolerance: { ulps: 4, absolute: 2e-6 },
    values: 'positive',
  },
} as const satisfies Record<string, ReduceRow>;

function axesOf(op: string, { input }: Inputs, { axes }: ReduceOptions): number[] {
  const all = input!.shape.map((_, d) => d);
  return [...new Set((axes ?? all).map((axis) => needAxis(op, axis, all.length)))].sort((a, b) => a - b);
}

function reducedShape(shape: readonly number[], axes: readonly number[], keepDimensions = false): number[] {
  return keepDimensions
    ? shape.map((size, d) => (axes.includes(d) ? 1 : size))
    : shape.filter((_, d) => !axes.includes(d));
}

/** FLIP of extremum.wgsl and reduction_integer.wgsl. */
const flip = (dataType: DataType): string => (dataType.startsWith('u') ? 'i32(-2147483648)' : 'i32(0)');

const adjacent = (axes: readonly number[]): boolean => axes.every((axis, i) => axis === axes[0]! + i);

const inferReduced =
  (op: string) =>
  (inputs: Inputs, options: ReduceOptions): TensorDescriptor => {
    const input = inputs['input']!;
    return {
      dataType: input.dataType,
      shape: reducedShape(input.shape, axesOf(op, inputs, options), options.keepDimensions),
    };
  };

type Reduce = (input: Operand, options?: ReduceOptions & Labelled) => Operand;

const OPTIONS = ['axes', 'keepDimensions'];

/** Elements from which one line is cut into several. */
const LONG = 1024;

/** The divisor nearest to the root, a multiple of four; 1 for lines that are short or have none between 16 and 4096. */
function nearRoot(size: number): number {
  if (size < LONG) return 1;
  for (let rows = Math.min(4096, 4 * Math.ceil(Math.sqrt(size) / 4)); rows >= 16; rows -= 4)
    if (size % rows === 0) return rows;
  return 1;
}

/** One line as `count` lines, whose results are a line: for what is the same in any order. */
const inTwo = (first: Candidate, second: Candidate, dataType: DataType, count: number): Candidate => ({
  ...first,
  label: first.label.replace(']', ',cut]'),
  parts: [
    { bind: { output: 'partial' } },
    { variant: second.variant, params: second.params, grid: second.grid, bind: { input: 'partial' } },
  ],
  scratch: { partial: { dataType, shape: [count] } },
});

const reduceOp = (name: string, { kind, types = FLOATS, flops, nothing, tolerance = SUM, values }: ReduceRow) =>
  defineOp<ReduceOptions, Reduce>({
    name,
    operands: { input: { types } },
    options: OPTIONS,
    reduces: true,
    tolerance,
    values: () => values,
    infer: inferReduced(name),
    candidates(inputs, options, output, caps) {
      const { shape, dataType } = inputs['input']!;
      const axes = axesOf(name, inputs, options);
      const first = axes[0] ?? shape.length;
      const size = axes.reduce((product, axis) => product * shape[axis]!, 1);
      const count = elementCount(output.shape);
      const { stride } = aroundAxis(shape, first + Math.max(axes.length, 1) - 1);
      const float = isFloat(dataType);
      const single = kind === 'product' || (kind === 'mean' && !float && size > MOST_RESTS);
      const literals = () => ({ NOTHING: integerLiteral(dataType)(nothing), FLIP: flip(dataType) });
      /** Lines of `size` to as many results. */
      const lines = (count: number, size: number, stride: number): Candidate[] => {
        const place = stride % 4 === 0 ? 'beside' : 'apart';
        const forms = lineForms(Math.ceil(count / 4), size, caps, float ? floatReducer : integerReducer);
        return (single ? forms.filter(alone) : forms).map(({ tag, ports, constants, grid }) => ({
          label: `${name}[${dataType},${tag}]`,
          variant: {
            kernel: part(kernel, place),
            ports: [
              part(stored, dataType),
              part(result, dataType),
              ...(float ? [part(functions, 'float')] : []),
              ...ports,
              part(float ? reduction : integerReduction, kind),
            ],
            constants: float ? constants : { ...constants, ...literals() },
          },
          params: { count, size, stride },
          grid,
        }));
      };
      const whole = lines(count, size, axes.length ? stride : 1);
      const cut = count === 1 && (kind === 'max' || kind === 'min') ? nearRoot(size) : 1;
      return cut > 1 ? [inTwo(lines(cut, size / cut, 1)[0]!, lines(1, cut, 1)[0]!, dataType, cut), ...whole] : whole;
    },
    decompose(inputs, options, rewriter) {
      const axes = axesOf(name, inputs, options);
      const input = inputs['input']!;
      if (!elementCount(input.shape)) {
        const newShape = reducedShape(input.shape, axes, options.keepDimensions);
        const value = isFloat(input.dataType) ? nothing : nearest(input.dataType, nothing);
        return rewriter.add('expand', { input: rewriter.constant(input.dataType, [], [value]) }, { newShape });
      }
      if (adjacent(axes)) return undefined;
      const others = input.shape.map((_, d) => d).filter((d) => !axes.includes(d));
      const moved = rewriter.add('transpose', { input }, { permutation: [...others, ...axes] });
      const reduced = rewriter.add(name, { input: moved }, { axes: axes.map((_, i) => others.length + i) });
      return rewriter.add(
        'reshape',
        { input: reduced },
        { newShape: reducedShape(input.shape, axes, options.keepDimensions) },
      );
    },
    cost: (inputs) => ({ macs: 0, flops: flops * elementCount(inputs['input']!.shape) }),
  });

/** reduceLogSumExp: max + log(sum(exp(x - max))), which does not overflow. */
const reduceLogSumExp = defineOp<ReduceOptions, Reduce>({
  name: 'reduceLogSumExp',
  operands: { input: FLOAT },
  options: OPTIONS,
  tolerance: { ulps: 40, absolute: 2e-6, roundings: 4 },
  values: () => 'positive',
  infer: inferReduced('reduceLogSumExp'),
  decompose(inputs, options, rewriter) {
    const input = inputs['input']!;
    const axes = axesOf('reduceLogSumExp', inputs, options);
    // x - max would be NaN for an infinite max: a finite number takes its place.
    const most = input.dataType === 'float16' ? 65472 : 3.4028232635611926e38;
    const limits = { alpha: -most, beta: most };
    const top = rewriter.add(
      'clamp',
      { input: rewriter.add('reduceMax', { input }, { axes, keepDimensions: true }) },
      limits,
    );
    const powers = rewriter.add('exp', { input: rewriter.add('sub', { a: input, b: top }) });
    const sum = rewriter.add('reduceLogSum', { input: powers }, { axes, keepDimensions: true });
    const newShape = reducedShape(input.shape, axes, options.keepDimensions);
    return rewriter.add('reshape', { input: rewriter.add('add', { a: sum, b: top }) }, { newShape });
  },
});

const ARG_TYPES = ['int32', 'int64'] as const;
type ArgType = (typeof ARG_TYPES)[number];

interface ArgOptions {
  axis: number;
  keepDimensions?: boolean;
  outputDataType?: ArgType;
  /** Of equal elements the last one (ONNX' select_last_index); the first where absent. */
  selectLastIndex?: boolean;
}

type Arg = (input: Operand, axis: number, options?: Omit<ArgOptions, 'axis'> & Labelled) => Operand;

const argOp = (name: string, kind: 'max' | 'min') =>
  defineOp<ArgOptions, Arg>({
    name,
    operands: { input: { types: NUMBERS } },
    args: ['axis'],
    options: ['keepDimensions', 'outputDataType', 'selectLastIndex'],
    infer(inputs, { axis, keepDimensions, outputDataType: dataType = 'int32' }) {
      const { shape } = inputs['input']!;
      if (!ARG_TYPES.includes(dataType))
        throw opError('invalid-argument', name, `outputDataType is ${dataType}, expected ${ARG_TYPES.join(' or ')}`);
      const at = needAxis(name, axis, shape.length);
      if (!shape[at]) throw opError('wrong-shape', name, `axis ${at} of ${formatShape(shape)} has no elements`);
      return { dataType, shape: reducedShape(shape, [at], keepDimensions) };
    },
    decompose: ({ input }, options, rewriter) =>
      widened(rewriter, input!, (wide) => rewriter.add(name, { input: wide }, options)),
    candidates(inputs, { axis, selectLastIndex = false }, output, caps) {
      const { shape, dataType } = inputs['input']!;
      const { size, stride } = aroundAxis(shape, needAxis(name, axis, shape.length));
      const lines = elementCount(output.shape);
      const type = WORDS[dataType]!;
      const float = isFloat(dataType);
      const forms = lineForms(lines, size, caps, float ? floatReducer : integerReducer);
      const ranks = float
        ? [part(functions, 'float'), part(extremum, 'float', kind)]
        : [part(extremum, 'integer', `${kind}_integer`)];
      return (size < 2 ** 24 || !float ? forms : forms.filter(alone)).map(({ tag, ports, constants, grid }) => ({
        label: `${name}[${type}${selectLastIndex ? ',last' : ''},${tag}]`,
        variant: {
          kernel: argKernel,
          ports: [part(elem, type), ...ranks, ...ports],
          constants: { ...constants, LAST: String(selectLastIndex), ...(!float && { FLIP: flip(dataType) }) },
        },
        params: { lines, size, stride },
        grid,
      }));
    },
  });

export const reductions = {
  ...(Object.fromEntries(Object.entries(REDUCTIONS).map(([name, row]) => [name, reduceOp(name, row)])) as Record<
    keyof typeof REDUCTIONS,
    ReturnType<typeof reduceOp>
  >),
  reduceLogSumExp,
  argMax: argOp('argMax', 'max'),
  argMin: argOp('argMin', 'min'),
};
