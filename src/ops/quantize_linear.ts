import dequantizeKernel from '../../shaders/dequantize_linear.wgsl';
import blocks from '../../shaders/lib/blocks.wgsl';
import elem from '../../shaders/lib/elem.wgsl';
import functions from '../../shaders/lib/functions.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import result from '../../shaders/lib/result.wgsl';
import stored from '../../shaders/lib/stored.wgsl';
import strides from '../../shaders/lib/strides.wgsl';
import zeroPoints from '../../shaders/lib/zero_point.wgsl';
import quantizeKernel from '../../shaders/quantize_linear.wgsl';
import scalesKernel from '../../shaders/quantize_scales.wgsl';
import { f32, part, u32, type WgslModule } from '../gpu/wgsl.ts';
import { BYTES, type DataType, elementCount, formatShape, sameShape, type TensorDescriptor } from '../tensor/types.ts';
import {
  type Candidate,
  defineOp,
  ELEM,
  FLAT,
  FLOAT,
  flatGrid,
  type Inputs,
  type Labelled,
  type Operand,
  opError,
  type Part,
  SCALES,
  type Shape,
  splitItems,
} from './define.ts';
import { broadcastAxes, stridedParams } from './elementwise.ts';
import { lineForms } from './lines.ts';

/**
 * Splits each axis in two: [blocks, size of a block] of the input, [blocks, 1] of the scale, which then broadcasts.
 * Axes that the scale lacks in front are 1.
 */
function splitAxes(op: string, shape: Shape, scale: Shape): { input: number[]; scale: number[] } {
  const counts = shape.map((_, d) => scale[d - shape.length + scale.length] ?? 1);
  if (scale.length > shape.length || shape.some((size, d) => size % counts[d]!))
    throw opError('wrong-shape', op, `scales ${formatShape(scale)} do not divide ${formatShape(shape)} into blocks`);
  return {
    input: shape.flatMap((size, d) => [counts[d]!, size / counts[d]!]),
    scale: counts.flatMap((count) => [count, 1]),
  };
}

/** Checks scale and zero point of a linear quantisation. */
function needScale(op: string, inputs: Inputs, integer: DataType): void {
  const [input, scale] = [inputs['input']!, inputs['scale']!];
  splitAxes(op, input.shape, scale.shape);
  const { zeroPoint } = inputs;
  if (zeroPoint && zeroPoint.dataType !== integer)
    throw opError('wrong-type', op, `zeroPoint is ${zeroPoint.dataType}, expected ${integer}`);
  if (zeroPoint && !sameShape(zeroPoint.shape, scale.shape))
    throw opError(
      'wrong-shape',
      op,
      `zeroPoint is ${formatShape(zeroPoint.shape)}, expected ${formatShape(scale.shape)} as scale`,
    );
}

/** The range of an integer type, within what float32 holds. */
const INTEGERS: Partial<Record<DataType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int32: [-2147483648, 2147483520],
};

/** The input as [outer, blocks, size, inner]; the scale is [1, blocks, 1, inner]. */
interface Blocks {
  readonly outer: number;
  readonly blocks: number;
  readonly size: number;
  readonly inner: number;
}

/** The blocks of a scale that cuts one axis; undefined where it cuts several. */
function blocksOf(op: string, shape: Shape, scaleShape: Shape): Blocks | undefined {
  const { input, scale } = splitAxes(op, shape, scaleShape);
  const axes = broadcastAxes(input, [scale]);
  const take = (repeats: boolean): number => (axes.length && !axes.at(-1)![1] === repeats ? axes.pop()![0]! : 1);
  const [inner, size, blocks, outer] = [take(false), take(true), take(false), take(true)];
  return axes.length ? undefined : { outer, blocks, size, inner };
}

/** The least number of items that is a multiple of a word in every binding. */
const wordsOf = (bytes: Readonly<Record<string, number>>): number =>
  [1, 2, 4].find((items) => Object.values(bytes).every((width) => (width * items) % 4 === 0))!;

interface ScalesOptions {
  /** Shape of the scales, of the input's rank. A dimension is 1, that of the input, or a divisor of it. */
  newShape: Shape;
  /** The integer for max |x|: 127 for int8, 7 for int4. */
  levels?: number;
}

/** quantizeScales: max |x| / levels of each block, float32; 1 for a block of zeros, NaN for a block with NaN. */
export const quantizeScales = defineOp<ScalesOptions>({
  name: 'quantizeScales',
  finite: true,
  operands: { input: FLOAT },
  options: ['newShape', 'levels'],
  tolerance: { ulps: 3 },
  infer({ input }, { newShape }) {
    splitAxes('quantizeScales', input!.shape, newShape);
    return { dataType: 'float32', shape: newShape };
  },
  candidates(inputs, { newShape, levels = 127 }, _output, caps) {
    const { dataType, shape } = inputs['input']!;
    const { outer, blocks, size, inner } = blocksOf('quantizeScales', shape, newShape)!;
    const whole = outer * inner === 1 && size % 4 === 0;
    const forms = lineForms(blocks * inner, Math.ceil((outer * size) / 4), caps);
    // inner > 1: neighbouring invocations read neighbouring columns, so a block is not shared.
    return (inner > 1 ? forms.filter(({ constants }) => constants['LANES'] === u32(1)) : forms).map(
      ({ tag, ports, constants, grid }) => ({
        label: `quantizeScales[${dataType}${whole ? '' : ',ragged'},${tag}]`,
        variant: {
          kernel: scalesKernel,
          ports: [part(stored, dataType), part(functions, 'float'), ...ports],
          constants: { ...constants, WHOLE: String(whole) },
        },
        params: { lines: blocks * inner, outer, blocks, size, inner, levels },
        grid,
      }),
    );
  },
  pieces(candidate, inputs, { newShape }, _output, limit) {
    const { dataType, shape } = inputs['input']!;
    const { outer, blocks, size, inner } = blocksOf('quantizeScales', shape, newShape)!;
    if (outer > 1) throw opError('wrong-shape', 'quantizeScales', 'operands of this size can be cut by rows only');
    const bytes = { input: size * inner * BYTES[dataType], output: 4 * inner };
    const { LINES } = candidate.variant.constants as { LINES: string };
    const piece = (_start: number, count: number) => ({
      params: { ...candidate.params, lines: count * inner, blocks: count },
      grid: flatGrid(count * inner, Number.parseInt(LINES, 10)),
    });
    return splitItems(blocks, bytes, limit, piece, candidate, wordsOf(bytes));
  },
  rowwise: ({ input }, { newShape, levels }, rows) =>
    newShape[0] === input!.shape[0] ? { newShape: [rows, ...newShape.slice(1)], levels } : undefined,
  decompose(inputs, { newShape, levels }, rewriter) {
    const input = inputs['input']!;
    if (blocksOf('quantizeScales', input.shape, newShape)) return undefined;
    // Blocks along several axes become rows.
    const split = splitAxes('quantizeScales', input.shape, newShape).input;
    const axes = split.map((_, d) => d);
    const permutation = [...axes.filter((d) => d % 2 === 0), ...axes.filter((d) => d % 2)];
    const apart = rewriter.add('reshape', { input }, { newShape: split });
    const turned = rewriter.add('transpose', { input: apart }, { permutation });
    const count = elementCount(newShape);
    const rows = rewriter.add('reshape', { input: turned }, { newShape: [count, elementCount(split) / count] });
    const scales = rewriter.add('quantizeScales', { input: rows }, { newShape: [count, 1], levels });
    return rewriter.add('reshape', { input: scales }, { newShape });
  },
});

/** The only candidate. The port `blocks` finds the scale of an element. */
function linearCandidate(
  op: string,
  kernel: WgslModule,
  inputs: Inputs,
  output: TensorDescriptor,
  ports: readonly WgslModule[],
  constants: Readonly<Record<string, string>> = {},
): Candidate {
  const [input, scale] = [inputs['input']!, inputs['scale']!];
  const zero = inputs['zeroPoint']?.dataType ?? 'none';
  const count = elementCount(input.shape);
  const flat = blocksOf(op, input.shape, scale.shape);
  const run = flat ? flat.size * flat.inner : 0;
  const beside = flat !== undefined && flat.inner % 4 === 0;
  const whole = beside || (flat?.inner === 1 && (flat.blocks === 1 || run % 4 === 0));
  const form = flat ? (whole ? 'whole' : 'ragged') : 'strided';
  const split = splitAxes(op, input.shape, scale.shape);
  return {
    label: `${op}[${input.dataType},${scale.dataType},${output.dataType}${zero === 'none' ? '' : ',zero'},${form}${whole && beside ? '_beside' : ''}]`,
    variant: {
      kernel,
      ports: [
        grid,
        part(stored, input.dataType),
        part(elem, ELEM[scale.dataType]!),
        part(zeroPoints, zero),
        ...(flat ? [] : [strides]),
        part(blocks, form),
        ...ports,
      ],
      constants: { WG: u32(FLAT), ...(whole && { BESIDE: u32(Number(beside)) }), ...constants },
    },
    params: flat
      ? { count, run, blocks: flat.blocks, inner: flat.inner }
      : stridedParams(op, split.input, [split.input, split.scale]),
    grid: flatGrid(Math.ceil(count / 4), FLAT),
  };
}

/** Pieces: rows of blocks, or any elements where the scale repeats along the input. */
const linearPieces =
  (op: string) =>
  (candidate: Candidate, inputs: Inputs, _options: unknown, output: TensorDescriptor, limit: number): Part[] => {
    const { input, scale, zeroPoint } = inputs as Record<'input' | 'scale', TensorDescriptor> & Inputs;
    const flat = blocksOf(op, input.shape, scale.shape);
    if (!flat || (flat.blocks > 1 && flat.outer > 1))
      throw opError('wrong-shape', op, 'operands of this size can be cut by rows only');
    const { size, inner } = flat;
    const length = flat.blocks > 1 ? size * inner : inner;
    const bytes = {
      input: length * BYTES[input.dataType],
      output: length * BYTES[output.dataType],
      ...(flat.blocks > 1 && { scale: inner * BYTES[scale.dataType] }),
      ...(flat.blocks > 1 && zeroPoint && { zeroPoint: inner * BYTES[zeroPoint.dataType] }),
    };
    const piece = (_start: number, items: number) => ({
      params: { ...candidate.params, count: items * length },
      grid: flatGrid(Math.ceil((items * length) / 4), FLAT),
    });
    return splitItems(elementCount(input.shape) / length, bytes, limit, piece, candidate, wordsOf(bytes));
  };

type Quantize = (
  input: Operand,
  scale: Operand,
  zeroPoint?: Operand,
  options?: { dataType?: DataType } & Labelled,
) => Operand;

const INTEGER_TYPES: readonly DataType[] = ['int8', 'uint8', 'int32', 'int4', 'uint4'];
const ZERO_POINT = { types: INTEGER_TYPES, optional: true, positional: true } as const;

/**
 * quantizeLinear: round(input / scale) + zeroPoint, clamped to the type of zeroPoint. Without zeroPoint: to `dataType`,
 * int8 where absent; WebNN has no such option. A dimension of the scale may divide that of the input: then blocks share
 * a scale.
 */
export const quantizeLinear = defineOp<{ dataType?: DataType }, Quantize>({
  name: 'quantizeLinear',
  operands: { input: FLOAT, scale: FLOAT, zeroPoint: ZERO_POINT },
  options: ['dataType'],
  elementwise: true,
  quantizes: true,
  values: (name) => (name === 'scale' ? SCALES : undefined),
  infer(inputs, options) {
    const dataType = inputs['zeroPoint']?.dataType ?? options.dataType ?? 'int8';
    if (!INTEGER_TYPES.includes(dataType))
      throw opError(
        'wrong-type',
        'quantizeLinear',
        `the output is ${dataType}, expected ${INTEGER_TYPES.join(' or ')}`,
      );
    needScale('quantizeLinear', inputs, dataType);
    return { dataType, shape: inputs['input']!.shape };
  },
  candidates(inputs, _options, output) {
    const [low, high] = INTEGERS[output.dataType]!;
    const constants = { LOW: f32(low), HIGH: f32(high) };
    const ports = [part(result, output.dataType)];
    return [linearCandidate('quantizeLinear', quantizeKernel, inputs, output, ports, constants)];
  },
  pieces: linearPieces('quantizeLinear'),
  rowwise: ({ input, scale }, options) =>
    scale!.shape.length === input!.shape.length && scale!.shape[0] === input!.shape[0] ? options : undefined,
});

type Dequantize = (input: Operand, scale: Operand, zeroPoint?: Operand, options?: Labelled) => Operand;

/**
 * dequantizeLinear: (input - zeroPoint) * scale, in the type of the scale; blocks as in quantizeLinear. int4x8 goes
 * into kernels that read it as weights.
 */
export const dequantizeLinear = defineOp<object, Dequantize>({
  name: 'dequantizeLinear',
  operands: { input: { types: [...INTEGER_TYPES, 'int4x8'] }, scale: FLOAT, zeroPoint: ZERO_POINT },
  elementwise: true,
  quantizes: true,
  tolerance: { ulps: 1 },
  values: (name) => (name === 'scale' ? SCALES : undefined),
  infer(inputs) {
    needScale('dequantizeLinear', inputs, inputs['input']!.dataType);
    return { dataType: inputs['scale']!.dataType, shape: inputs['input']!.shape };
  },
  candidates: (inputs, _options, output) =>
    inputs['input']!.dataType === 'int4x8'
      ? []
      : [linearCandidate('dequantizeLinear', dequantizeKernel, inputs, output, [])],
  pieces: linearPieces('dequantizeLinear'),
});
