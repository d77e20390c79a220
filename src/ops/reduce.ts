import argKernel from '../../shaders/arg_reduce.wgsl';
import elem from '../../shaders/lib/elem.wgsl';
import extremum from '../../shaders/lib/extremum.wgsl';
import reduction from '../../shaders/lib/reduction.wgsl';
import result from '../../shaders/lib/result.wgsl';
import special from '../../shaders/lib/special.wgsl';
import stored from '../../shaders/lib/stored.wgsl';
import kernel from '../../shaders/reduce.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { elementCount, type TensorDescriptor } from '../tensor/types.ts';
import {
  aroundAxis,
  defineOp,
  ELEM,
  type Inputs,
  need,
  needAxis,
  needFloat,
  type Op,
  type Rewriter,
} from './define.ts';
import { type LineForm, lineForms } from './lines.ts';

interface ReduceOptions {
  axes?: readonly number[];
  keepDimensions?: boolean;
}

/** Op to part of shaders/lib/reduction.wgsl, and FLOP an element. */
const REDUCTIONS = {
  reduceSum: ['sum', 1],
  reduceMean: ['mean', 1],
  reduceMax: ['max', 1],
  reduceMin: ['min', 1],
  reduceProduct: ['product', 1],
  reduceL1: ['l1', 2],
  reduceL2: ['l2', 2],
  reduceSumSquare: ['sum_square', 2],
  reduceLogSum: ['log_sum', 1],
} as const;

function axesOf(op: string, { input }: Inputs, { axes }: ReduceOptions): number[] {
  const all = input!.shape.map((_, d) => d);
  return [...new Set((axes ?? all).map((axis) => needAxis(op, axis, all.length)))].sort((a, b) => a - b);
}

function reducedShape(shape: readonly number[], axes: readonly number[], keepDimensions = false): number[] {
  return keepDimensions
    ? shape.map((size, d) => (axes.includes(d) ? 1 : size))
    : shape.filter((_, d) => !axes.includes(d));
}

/** The form in which lanes do not meet. */
const alone = ({ constants }: LineForm): boolean => constants['LANES'] === u32(1);

const adjacent = (axes: readonly number[]): boolean => axes.every((axis, i) => axis === axes[0]! + i);

const inferReduced =
  (op: string) =>
  (inputs: Inputs, options: ReduceOptions): TensorDescriptor => {
    const input = need(inputs, 'input', op);
    needFloat(op, 'input', input);
    return {
      dataType: input.dataType,
      shape: reducedShape(input.shape, axesOf(op, inputs, options), options.keepDimensions),
    };
  };

const reduceOp = (name: string, [kind, flops]: readonly [string, number]): Op =>
  defineOp<ReduceOptions>({
    name,
    infer: inferReduced(name),
    candidates(inputs, options, output, caps) {
      const { shape, dataType } = inputs['input']!;
      const axes = axesOf(name, inputs, options);
      const first = axes[0] ?? shape.length;
      const size = axes.reduce((product, axis) => product * shape[axis]!, 1);
      const count = elementCount(output.shape);
      const { stride } = aroundAxis(shape, first + Math.max(axes.length, 1) - 1);
      const forms = lineForms(Math.ceil(count / 4), size, caps);
      return (kind === 'product' ? forms.filter(alone) : forms).map(({ tag, ports, constants, grid }) => ({
        label: `${name}[${dataType},${tag}]`,
        variant: {
          kernel,
          ports: [
            part(stored, dataType),
            part(result, dataType),
            part(special, 'float'),
            ...ports,
            part(reduction, kind),
          ],
          constants,
        },
        params: { count, size, stride: axes.length ? stride : 1 },
        grid,
      }));
    },
    decompose(inputs, options, rewriter) {
      const axes = axesOf(name, inputs, options);
      if (adjacent(axes)) return undefined;
      const input = inputs['input']!;
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

/** reduceLogSumExp: the maximum is taken out before exp, so that nothing overflows. */
const reduceLogSumExp = defineOp<ReduceOptions>({
  name: 'reduceLogSumExp',
  infer: inferReduced('reduceLogSumExp'),
  decompose<T extends TensorDescriptor>(
    inputs: Readonly<Record<string, T>>,
    options: ReduceOptions,
    rewriter: Rewriter<T>,
  ) {
    const input = inputs['input']!;
    const axes = axesOf('reduceLogSumExp', inputs, options);
    // Beside an infinite maximum no difference is a number: the next to the largest number stands in.
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

interface ArgOptions {
  axis: number;
  keepDimensions?: boolean;
  outputDataType?: 'int32';
}

const argOp = (name: string, kind: 'max' | 'min'): Op =>
  defineOp<ArgOptions>({
    name,
    infer(inputs, { axis, keepDimensions }) {
      const input = need(inputs, 'input', name);
      needFloat(name, 'input', input);
      return {
        dataType: 'int32',
        shape: reducedShape(input.shape, [needAxis(name, axis, input.shape.length)], keepDimensions),
      };
    },
    candidates(inputs, { axis }, output, caps) {
      const { shape, dataType } = inputs['input']!;
      const { size, stride } = aroundAxis(shape, needAxis(name, axis, shape.length));
      const lines = elementCount(output.shape);
      const type = ELEM[dataType]!;
      const forms = lineForms(lines, size, caps);
      return (size < 2 ** 24 ? forms : forms.filter(alone)).map(({ tag, ports, constants, grid }) => ({
        label: `${name}[${type},${tag}]`,
        variant: {
          kernel: argKernel,
          ports: [part(elem, type), part(special, 'float'), part(extremum, kind), ...ports],
          constants,
        },
        params: { lines, size, stride },
        grid,
      }));
    },
  });

export const reductions: readonly Op[] = [
  ...Object.entries(REDUCTIONS).map(([name, row]) => reduceOp(name, row)),
  reduceLogSumExp,
  argOp('argMax', 'max'),
  argOp('argMin', 'min'),
];
