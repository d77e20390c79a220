import type { OnnxType } from '../../formats/onnx-model.ts';
import type { Operand } from '../../graph/ir.ts';
import { elementCount } from '../../tensor/types.ts';
import type { Call } from '../call.ts';
import type { Lowering } from '../lowerer.ts';
import type { Tensor } from '../values.ts';
import { matrixSums, paired, type Sums, scaled, whole, windowSums } from './integers.ts';
import { add, div, mul, sub } from './math.ts';
import { convolve, multiply } from './nn.ts';

/** The least and the highest number of an integer type. */
const RANGES: Partial<Record<OnnxType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int4: [-8, 7],
  uint4: [0, 15],
};

/** A scale or zero point in the rank of what it belongs to: of one number, of an axis, of blocks along it. */
export function besides(call: Call, part: Operand, shape: readonly number[], axis: number): Operand {
  if (elementCount(part.shape) === 1)
    return call.reshape(
      part,
      shape.map(() => 1),
    );
  if (part.shape.length === shape.length) return part;
  return call.reshape(
    part,
    shape.map((size, d) => (d === axis ? size : 1)),
  );
}

/** round(input / scale) + zeroPoint within the range of a type. Halves go to the even neighbour. */
export function quantize(
  call: Call,
  input: Operand,
  scale: Operand,
  zero: Operand | undefined,
  type: OnnxType,
): Operand {
  const device = call.deviceType(type);
  if (type === 'int8' || type === 'uint8')
    return call.add('quantizeLinear', { input, scale, zeroPoint: zero }, zero ? {} : { dataType: type });
  const [low, high] = RANGES[type] ?? call.unsupported(`numbers of ${type}`);
  const wide = call.cast(input, 'float32');
  const rounded = call.add('roundEven', {
    input: div(call, wide, spread(call, call.cast(scale, 'float32'), wide.shape)),
  });
  const bounds = { alpha: low - high - 1, beta: high - low + 1 };
  const whole = call.cast(call.add('clamp', { input: rounded }, bounds), 'int32');
  const moved = zero ? add(call, whole, spread(call, call.cast(zero, 'int32'), wide.shape)) : whole;
  return call.cast(call.add('clamp', { input: moved }, { alpha: low, beta: high }), device);
}

/** (input - zeroPoint) · scale, in the type of the scale. */
export function dequantize(call: Call, input: Operand, scale: Operand, zero: Operand | undefined): Operand {
  const native = ['int8', 'uint8', 'int32'].includes(input.dataType);
  if (native) return call.add('dequantizeLinear', { input, scale, zeroPoint: zero });
  const wide = call.cast(input, 'float32');
  const own = spread(call, scale, wide.shape);
  const centred = zero ? sub(call, wide, spread(call, call.cast(zero, 'float32'), wide.shape)) : wide;
  return mul(call, call.cast(centred, scale.dataType), own);
}

/** Repeats each number of a blocked axis as often as its block is long. */
function spread(call: Call, part: Operand, shape: readonly number[]): Operand {
  return shape.reduce<Operand>((whole, size, axis) => {
    const own = whole.shape[axis]!;
    if (own === 1 || own === size) return whole;
    const block = Math.ceil(size / own);
    const indices = call.constant(
      'int32',
      [size],
      call.list(size, (i) => Math.floor(i / block)),
    );
    return call.add('gather', { input: whole, indices }, { axis });
  }, part);
}

function quantizeLinear(call: Call): Tensor {
  const { shape } = call.tensor(0);
  const axis = call.int('axis', 1);
  call.skip('block_size', 'saturate', 'precision');
  const number = call.int('output_dtype', 0);
  const zero = call.optional(2);
  const type = zero?.type ?? (number ? call.typeNamed(number) : 'uint8');
  const at = axis < 0 ? axis + shape.length : axis;
  const input = call.operand(0);
  const scale = call.cast(besides(call, call.operand(1), shape, at), input.dataType);
  const point = zero && besides(call, call.operand(2), shape, at);
  return call.made(quantize(call, input, scale, point, type), type);
}

/** Numbers of int4 in int8: products read them packed, other ops as they are. */
export function packable(call: Call, input: Operand): Operand {
  const fits = input.shape.at(-1)! % 4 === 0 && elementCount(input.shape) % 8 === 0;
  return fits ? call.add('unpackInt4', { input: call.add('packInt4', { input }) }) : input;
}

function dequantizeLinear(call: Call): Tensor {
  const { shape } = call.tensor(0);
  const axis = call.int('axis', 1);
  call.skip('block_size');
  const number = call.int('output_dtype', 0);
  const { type } = call.tensor(1);
  const at = axis < 0 ? axis + shape.length : axis;
  const scale = besides(call, call.operand(1), shape, at);
  // Kernels that read weights with scales take no zero points.
  const isZero = call.optional(2)?.known?.every((value) => Number(value) === 0);
  const zero = call.optional(2) && !isZero ? besides(call, call.operand(2), shape, at) : undefined;
  const given = call.operand(0);
  const input = given.constant && call.tensor(0).type === 'int4' ? packable(call, given) : given;
  const made = dequantize(call, input, scale, zero);
  const as = number ? call.typeNamed(number) : type;
  const quantised = { numbers: call.tensor(0), scale: call.tensor(1), zero: call.optional(2), axis };
  return { ...call.made(call.cast(made, call.deviceType(as)), as), quantised };
}

/** uint8 numbers of a tensor with a scale and zero point of their own: [y, scale, zeroPoint]. */
export function dynamic(call: Call, input: Operand): readonly [Operand, Operand, Operand] {
  const edge = (op: string, other: string): Operand =>
    call.add(other, { a: call.add(op, { input }, { keepDimensions: false }), b: call.like(input, 0) });
  const [low, high] = [edge('reduceMin', 'min'), edge('reduceMax', 'max')];
  const range = div(call, sub(call, high, low), 255);
  const flat = call.add('equal', { a: range, b: call.like(range, 0) });
  const scale = call.add('where', { condition: flat, trueValue: call.like(range, 1), falseValue: range });
  const zero = call.add('roundEven', { input: div(call, call.add('neg', { input: low }), scale) });
  const point = call.cast(call.cast(call.add('clamp', { input: zero }, { alpha: 0, beta: 255 }), 'int32'), 'uint8');
  const ones = input.shape.map(() => 1);
  return [quantize(call, input, call.reshape(scale, ones), call.reshape(point, ones), 'uint8'), scale, point];
}

/** Integers less their zero point, as float32: up to 255 either side. */
function centred(call: Call, input: Operand, zero: Operand | undefined): Operand {
  const wide = call.cast(input, 'float32');
  return zero ? sub(call, wide, call.cast(zero, 'float32')) : wide;
}

/** Terms of a sum that float32 holds exactly, of products of two numbers up to 255. */
const EXACT_TERMS = 256;

const cut = (call: Call, input: Operand, axis: number, start: number, size: number): Operand => {
  const starts = input.shape.map((_, d) => (d === axis ? start : 0));
  return call.add('slice', { input }, { starts, sizes: input.shape.with(axis, size) });
};

/** The sum of int32 results over parts of an axis that is summed over. */
function inParts(size: number, most: number, part: (start: number, size: number) => Operand, call: Call): Operand {
  let sum: Operand | undefined;
  for (let start = 0; start < size; start += most) {
    const made = call.cast(part(start, Math.min(most, size - start)), 'int32');
    sum = sum ? add(call, sum, made) : made;
  }
  return sum ?? call.fail('a sum of nothing');
}

/** A product of integers, exactly: float32 products of parts of K, whose sums are int32. */
function exactProduct(call: Call, a: Operand, b: Operand): Operand {
  const size = a.shape.at(-1)!;
  if (size <= EXACT_TERMS) return call.cast(multiply(call, a, b), 'int32');
  const rows = Math.max(0, b.shape.length - 2);
  return inParts(
    size,
    EXACT_TERMS,
    (start, count) => multiply(call, cut(call, a, a.shape.length - 1, start, count), cut(call, b, rows, start, count)),
    call,
  );
}

/** A convolution of integers, exactly, as `exactProduct`: by parts of the channels, or of the window's taps. */
function exactConvolution(call: Call, input: Operand, filter: Operand): Operand {
  const [, channels, ...window] = filter.shape as [number, number, ...number[]];
  const taps = elementCount(window);
  if (channels * taps <= EXACT_TERMS) return call.cast(convolve(call, input, filter, undefined), 'int32');
  if (call.int('group', 1) !== 1 || taps > EXACT_TERMS)
    call.unsupported(`windows of ${channels * taps} terms in groups`);
  return inParts(
    channels,
    Math.floor(EXACT_TERMS / taps),
    (start, count) => convolve(call, cut(call, input, 1, start, count), cut(call, filter, 1, start, count), undefined),
    call,
  );
}

/** A zero point a row of A: [M] as [M, 1]. */
const rowPoint = (call: Call, zero: Operand | undefined, rank: number): Operand | undefined =>
  zero && elementCount(zero.shape) > 1 && zero.shape.length === 1 && rank > 1
    ? call.reshape(zero, [zero.shape[0]!, 1])
    : zero && elementCount(zero.shape) === 1
      ? call.reshape(zero, [])
      : zero;

const columnPoint = (call: Call, zero: Operand | undefined): Operand | undefined =>
  zero && elementCount(zero.shape) === 1 ? call.reshape(zero, []) : zero;

export function integerProduct(call: Call, a: number, b: number, aZero: number, bZero: number): Operand {
  const made = matrixSums(call, [call.tensor(a), call.optional(aZero)], [call.tensor(b), call.optional(bZero)]);
  if (made) return whole(call, made);
  const [left, right] = [call.operand(a), call.operand(b)];
  const x = centred(call, left, rowPoint(call, call.optionalOperand(aZero), left.shape.length));
  return exactProduct(call, x, centred(call, right, columnPoint(call, call.optionalOperand(bZero))));
}

/** Numbers in steps of a type: round(steps) + zeroPoint. */
function stepsAs(call: Call, steps: Operand, zero: Tensor | undefined, type: OnnxType): Tensor {
  const ones = steps.shape.map(() => 1);
  const one = call.reshape(call.constant('float', [], [1]), ones);
  const point = zero && call.reshape(call.operand(zero), ones);
  return call.made(quantize(call, steps, call.cast(one, steps.dataType), point, type), type);
}

/** Inputs of a product of integers: numbers, scale and zero point of x and w, those of the result, the bias. */
interface QLinearInputs {
  readonly x: readonly [numbers: number, scale: number, zero: number];
  readonly w: readonly [numbers: number, scale: number, zero: number];
  readonly out: readonly [scale: number, zero: number];
  readonly bias?: number;
}

/** Sums with a bias as integers of another scale: round(sums · (x scale · w scale / scale)) + zero point. */
function requantized(call: Call, sums: Sums, { x, w, out, bias }: QLinearInputs): Tensor {
  const added = bias === undefined ? undefined : call.optionalOperand(bias);
  const factors = paired(call, 'mul', call.tensor(x[1]), call.tensor(w[1]));
  const factor = paired(call, 'div', factors, call.tensor(out[0]));
  const steps = scaled(call, sums, call.operand(factor), added);
  return stepsAs(call, steps, call.optional(out[1]), call.optional(out[1])?.type ?? call.tensor(x[0]).type);
}

/** A product of integers in any form of its scales, by the sums as int32. */
function requantizedRows(call: Call, sums: Operand, scale: Operand, { out }: QLinearInputs): Tensor {
  const factor = div(call, scale, scalarOf(call, call.operand(out[0])));
  const steps = mul(call, call.cast(sums, 'float32'), factor);
  return stepsAs(call, steps, call.optional(out[1]), call.optional(out[1])?.type ?? call.tensor(0).type);
}

const scalarOf = (call: Call, operand: Operand): Operand =>
  elementCount(operand.shape) === 1 ? call.reshape(operand, []) : operand;

function qLinearMatMul(call: Call): Tensor {
  const inputs: QLinearInputs = { x: [0, 1, 2], w: [3, 4, 5], out: [6, 7] };
  const [scale, other] = [call.tensor(1), call.tensor(4)];
  if (elementCount(scale.shape) === 1 && other.shape.length < 2) {
    const made = matrixSums(call, [call.tensor(0), call.optional(2)], [call.tensor(3), call.optional(5)]);
    if (made) return requantized(call, made, inputs);
  }
  const rows = rowPoint(call, call.operand(1), call.tensor(0).shape.length)!;
  const factor = mul(call, call.cast(rows, 'float32'), call.cast(scalarOf(call, call.operand(4)), 'float32'));
  return requantizedRows(call, integerProduct(call, 0, 3, 2, 5), factor, inputs);
}

/** [C] beside the channels of an image. */
const channels = (call: Call, operand: Operand, rank: number): Operand =>
  elementCount(operand.shape) === 1
    ? call.reshape(operand, [])
    : call.reshape(operand, [operand.shape[0]!, ...Array.from({ length: rank - 2 }, () => 1)]);

/** Sums of a convolution of inputs `x` and `w` with their zero points. */
function integerConvolution(call: Call, x: number, xZero: number, w: number, wZero: number): Operand {
  const made = windowSums(call, [call.tensor(x), call.optional(xZero)], [call.tensor(w), call.optional(wZero)]);
  if (made) return whole(call, made);
  const [zero, point] = [call.optionalOperand(xZero), call.optionalOperand(wZero)];
  const input = centred(call, call.operand(x), zero && scalarOf(call, zero));
  const filter = call.operand(w);
  return exactConvolution(call, input, centred(call, filter, point && channels(call, point, filter.shape.length + 1)));
}

function qLinearConv(call: Call): Tensor {
  const inputs: QLinearInputs = { x: [0, 1, 2], w: [3, 4, 5], out: [6, 7], bias: 8 };
  const made = windowSums(call, [call.tensor(0), call.optional(2)], [call.tensor(3), call.optional(5)]);
  if (made) return requantized(call, made, inputs);
  const { shape } = call.tensor(0);
  const bias = call.optionalOperand(8);
  const sums = integerConvolution(call, 0, 2, 3, 5);
  const biased = bias ? add(call, sums, channels(call, bias, shape.length)) : sums;
  const scale = mul(call, scalarOf(call, call.operand(1)), channels(call, call.operand(4), shape.length));
  return requantizedRows(call, biased, scale, inputs);
}

/** com.microsoft QGemm: float32 where it has no scale of its own for the result. */
export function qGemm(call: Call): Tensor {
  const turned = call.flag('transB');
  if (call.flag('transA') || call.float('alpha', 1) !== 1) call.unsupported('transA and alpha');
  const made =
    matrixSums(call, [call.tensor(0), call.optional(2)], [call.tensor(3), call.optional(5)], turned) ??
    call.unsupported(`a product of ${call.tensor(0).type} and ${call.tensor(3).type}`);
  if (call.optional(7)) return requantized(call, made, { x: [0, 1, 2], w: [3, 4, 5], out: [7, 8], bias: 6 });
  const scale = paired(call, 'mul', call.tensor(1), call.tensor(4));
  return call.made(scaled(call, made, call.operand(scale), call.optionalOperand(6)), 'float');
}

/** An op on numbers with a scale and zero point each: inputs at (0, 1, 2), the result's at `out`, `out` + 1. */
export const qLinear =
  (lowering: (call: Call, inputs: readonly Operand[]) => Operand, count: number): Lowering =>
  (call) => {
    const triple = (at: number): Operand => {
      const input = call.operand(at);
      const ones = input.shape.map(() => 1);
      const zero = call.optionalOperand(at + 2);
      return dequantize(call, input, call.reshape(call.operand(at + 1), ones), zero && call.reshape(zero, ones));
    };
    const made = lowering(
      call,
      call.list(count, (i) => triple(3 * i)),
    );
    const ones = made.shape.map(() => 1);
    const { type } = call.tensor(0);
    const zero = call.optionalOperand(3 * count + 1);
    const scale = call.reshape(call.operand(3 * count), ones);
    return call.made(quantize(call, made, scale, zero && call.reshape(zero, ones), type), type);
  };

export const QUANTIZED: Readonly<Record<string, Lowering>> = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  // What onnxruntime's quantiser writes where ONNX's own are of too old a set for an axis, blocks or 16 bits.
  'com.microsoft.QuantizeLinear': quantizeLinear,
  'com.microsoft.DequantizeLinear': dequantizeLinear,
  DynamicQuantizeLinear: (call) => {
    const [y, scale, zero] = dynamic(call, call.operand(0));
    return [call.made(y, 'uint8'), call.made(scale), call.made(zero, 'uint8')];
  },
  MatMulInteger: (call) => call.made(integerProduct(call, 0, 1, 2, 3), 'int32'),
  ConvInteger: (call) => call.made(integerConvolution(call, 0, 2, 1, 3), 'int32'),
  QLinearMatMul: qLinearMatMul,
  QLinearConv: qLinearConv,
};
