import type { Operand } from '../../graph/ir.ts';
import { broadcastShapes, elementCount, sameShape } from '../../tensor/types.ts';
import type { Call } from '../call.ts';
import { known, onDevice, type Tensor } from '../values.ts';
import { add, mul, sub } from './math.ts';
import { as2d, back, convolution2d } from './nn.ts';

/*
 * Products of 8-bit integers with zero points: the sum of (x - p)(w - q) is sum(x·w) - rows - columns, where rows are q · sum(x) and columns
 * p · (sum(w) - q · sum(1)), which is computed at load where weights and p are constant. All sums are the same product, by ones where a side
 * is missing. Kernels take uint8 less 128, and zero points with it.
 */

/** A zero point, less what kernels take of its integers: a number where it is known and there is one. */
type Point = number | Operand;

/** What products take of uint8. */
const taken = ({ type }: Tensor): number => (type === 'uint8' ? 128 : 0);

const isBytes = ({ type }: Tensor): boolean => type === 'uint8' || type === 'int8';

/** Terms of a sum that is int32: 2^31 / 2^14. */
const MOST_TERMS = 2 ** 17 - 1;

/** `shape`: of a zero point of several numbers, beside the sums. */
function pointOf(call: Call, of: Tensor, zero: Tensor | undefined, shape?: readonly number[]): Point {
  if (!zero) return -taken(of);
  if (zero.known?.length && zero.known.every((value) => value === zero.known![0]))
    return Number(zero.known[0]) - taken(of);
  const wide = call.cast(call.operand(zero), 'int32');
  const point = taken(of) ? sub(call, wide, taken(of)) : wide;
  return call.reshape(point, elementCount(point.shape) === 1 ? [] : (shape ?? point.shape));
}

/** Sums of int32, and what is to be taken from them. Output channels are the last axis; `back` brings the result to ONNX' axes. */
export interface Sums {
  readonly sums: Operand;
  readonly rows: Operand | undefined;
  readonly columns: Operand | undefined;
  back(result: Operand): Operand;
}

interface Parts {
  x(): Operand;
  w(): Operand;
  ones(): Operand;
}

function excessOf(call: Call, p: Point, q: Point, sums: Parts): Pick<Sums, 'rows' | 'columns'> {
  const rows = q === 0 ? undefined : mul(call, sums.x(), q);
  if (p === 0) return { rows, columns: undefined };
  const centred = q === 0 ? sums.w() : sub(call, sums.w(), mul(call, sums.ones(), q));
  return { rows, columns: mul(call, centred, p) };
}

const ones = (call: Call, shape: readonly number[]): Operand =>
  call.add(
    'expand',
    {
      input: call.constant(
        'int8',
        shape.map(() => 1),
        [1],
      ),
    },
    { newShape: shape },
  ); // prettier-ignore

/** Sums of x [..., M, K] by w [..., K, N], or [N, K] where it is `turned`; undefined where there are no kernels for it. */
export function matrixSums(
  call: Call,
  [x, xZero]: readonly [Tensor, Tensor | undefined],
  [w, wZero]: readonly [Tensor, Tensor | undefined],
  turned = false,
): Sums | undefined {
  const rank = Math.min(x.shape.length, w.shape.length);
  if (rank < 2 || !isBytes(x) || !isBytes(w) || x.shape.at(-1)! > MOST_TERMS) return undefined;
  const inBatch = w.shape.length > 2;
  const batch = inBatch ? broadcastShapes(call.label, x.shape.slice(0, -2), w.shape.slice(0, -2)) : [];
  const whole = (of: Tensor): Operand => {
    const input = call.operand(of);
    const newShape = [...batch, ...of.shape.slice(-2)];
    return inBatch && !sameShape(newShape, of.shape) ? call.add('expand', { input }, { newShape }) : input;
  };
  const order = [...batch.map((_, d) => d), batch.length + 1, batch.length];
  const [a, b] = [whole(x), turned ? whole(w) : call.transpose(whole(w), order)];
  const k = a.shape.at(-1)!;
  const product = (left: Operand, right: Operand): Operand => call.add('matmulInteger', { a: left, b: right });
  const p = pointOf(call, x, xZero, xZero?.shape.length === 1 ? [xZero.shape[0]!, 1] : undefined);
  const excess = excessOf(call, p, pointOf(call, w, wZero), {
    x: () => product(a, ones(call, [1, k])),
    w: () => product(ones(call, [...batch, 1, k]), b),
    ones: () => call.constant('int32', [], [k]),
  });
  return { sums: product(a, b), ...excess, back: (result) => result };
}

/** Sums of windows of x [N,C,H,W] or [N,C,L] by filters w; undefined where there are no kernels for it. */
export function windowSums(
  call: Call,
  [x, xZero]: readonly [Tensor, Tensor | undefined],
  [w, wZero]: readonly [Tensor, Tensor | undefined],
): Sums | undefined {
  const { shape } = x;
  if (shape.length < 3 || shape.length > 4 || !isBytes(x) || !isBytes(w)) return undefined;
  if (elementCount(w.shape.slice(1)) > MOST_TERMS) return undefined;
  const { padding, ...options } = convolution2d(call, shape, w.shape);
  const last = [0, 2, 3, 1];
  let input = call.transpose(as2d(call, call.operand(x)), last);
  const filter = call.transpose(as2d(call, call.operand(w)), last);
  const p = pointOf(call, x, xZero);
  const [top, bottom, left, right] = padding as [number, number, number, number];
  const bordered = padding.some((size) => size > 0);
  // A border of zero points adds nothing to the sums. That of kernels is 0, or else the excess has a border too.
  const padded = bordered && typeof p === 'number' && p !== 0;
  if (padded)
    input = call.add(
      'pad',
      { input },
      { beginningPadding: [0, top, left, 0], endingPadding: [0, bottom, right, 0], value: p + taken(x) },
    );
  const own = bordered && !padded ? { ...options, padding } : options;
  const product = (image: Operand, filters: Operand): Operand =>
    call.add('conv2dInteger', { input: image, filter: filters }, own);
  const [o, high, wide, depth] = filter.shape as [number, number, number, number];
  const [down, across] = options.dilations as [number, number];
  // Without a border all windows of ones are alike.
  const [, h, across2, c] = input.shape as [number, number, number, number];
  const area = bordered && !padded ? [1, h, across2, c] : [1, (high - 1) * down + 1, (wide - 1) * across + 1, c];
  const filterOfOnes = (): Operand => ones(call, [options.groups > 1 ? o : 1, high, wide, depth]);
  const excess = excessOf(call, p, pointOf(call, w, wZero), {
    x: () => product(input, filterOfOnes()),
    w: () => product(ones(call, area), filter),
    ones: () => product(ones(call, area), filterOfOnes()),
  });
  const sums = product(input, filter);
  const first = [0, 3, 1, 2];
  return { sums, ...excess, back: (result) => back(call, call.transpose(result, first), shape.length) };
}

const without = (call: Call, sums: Operand, part: Operand | undefined): Operand =>
  part ? sub(call, sums, part) : sums;

/** The sums as int32. */
export const whole = (call: Call, { sums, rows, columns, back: turn }: Sums): Operand =>
  turn(without(call, without(call, sums, rows), columns));

/** (sums + bias) · scale, in the type of the scale. Bias: int32, a number or one a channel; scale as well. */
export function scaled(call: Call, made: Sums, scale: Operand, bias?: Operand): Operand {
  const { columns, back: turn } = made;
  const sums = without(call, made.sums, made.rows);
  const { shape } = sums;
  const less = bias ? (columns ? sub(call, columns, bias) : mul(call, bias, -1)) : columns;
  const aChannel = shape.map((size, d) => (d === shape.length - 1 ? size : 1));
  const beside = (part: Operand): Operand => {
    const newShape = elementCount(part.shape) === 1 ? shape.map(() => 1) : aChannel;
    return call.add('expand', { input: call.reshape(part, newShape) }, { newShape: aChannel });
  };
  // One number a channel is a zero point.
  const fits = !less || elementCount(less.shape) === 1 || sameShape(less.shape.slice(-1), [elementCount(less.shape)]);
  const input = fits ? sums : without(call, sums, less);
  const zeroPoint = fits && less ? beside(less) : undefined;
  return turn(call.add('dequantizeLinear', { input, scale: beside(scale), zeroPoint }));
}

/** Numbers of one type and shape, or one number beside several, computed with in float32: on the host where they are known. */
export function paired(call: Call, op: 'mul' | 'div', a: Tensor, b: Tensor): Tensor {
  const count = Math.max(elementCount(a.shape), elementCount(b.shape));
  if (!a.known || !b.known) {
    const flat = (of: Tensor): Operand => call.reshape(call.operand(of), [elementCount(of.shape)]);
    return onDevice(call.add(op, { a: flat(a), b: flat(b) }), a.type);
  }
  const at = (of: readonly unknown[], i: number): number => Number(of[of.length > 1 ? i : 0]);
  const compute = (x: number, y: number): number => (op === 'mul' ? x * y : x / y);
  return known(
    a.type,
    [count],
    call.list(count, (i) => compute(at(a.known!, i), at(b.known!, i))),
  ); // prettier-ignore
}

/** Whether a tensor has one number, or `count` along `axis` of what it belongs to. */
const isAlong = (part: Tensor | undefined, axis: number, wanted: number): boolean =>
  !part || elementCount(part.shape) === 1 || (part.shape.length === 1 && axis === wanted);

/**
 * A product of two tensors that are scaled back from integers, and of a bias: the sums are those of the integers. `axis`: that of output
 * channels of the weights; `sumsOf` computes the sums. Undefined where the scales are others.
 */
function productOf(
  call: Call,
  axis: number,
  sumsOf: (x: readonly [Tensor, Tensor | undefined], w: readonly [Tensor, Tensor | undefined]) => Sums | undefined,
): Tensor | undefined {
  const [x, w] = [call.tensor(0).quantised, call.optional(1)?.quantised];
  if (!x || !w) return undefined;
  const own = w.axis < 0 ? w.axis + w.numbers.shape.length : w.axis;
  const single = [x.scale, x.zero].every((part) => !part || elementCount(part.shape) === 1);
  if (!single || !isAlong(w.scale, own, axis) || !isAlong(w.zero, own, axis)) return undefined;
  const bias = call.optional(2);
  const channels = call.tensor(1).shape[axis]!;
  if (bias && ![1, channels].includes(elementCount(bias.shape))) return undefined;
  const made = sumsOf([x.numbers, x.zero], [w.numbers, w.zero]);
  if (!made) return undefined;
  const scale = paired(call, 'mul', x.scale, w.scale);
  const whole = bias && integerBias(bias, scale);
  const { back: turn, ...rest } = made;
  const sums = { ...rest, back: (result: Operand) => result };
  const product = scaled(call, sums, call.operand(scale), whole && call.operand(whole));
  const flat = (operand: Operand): Operand => call.reshape(operand, [elementCount(operand.shape)]);
  const biased = bias && !whole ? add(call, product, call.cast(flat(call.operand(bias)), product.dataType)) : product;
  return call.made(call.cast(turn(biased), call.deviceType(call.tensor(0).type)));
}

/** The int32 numbers of a bias whose scale is that of the product. */
function integerBias({ quantised }: Tensor, scale: Tensor): Tensor | undefined {
  if (quantised?.numbers.type !== 'int32' || !quantised.scale.known || !scale.known) return undefined;
  if (quantised.zero && !quantised.zero.known?.every((value) => Number(value) === 0)) return undefined;
  const own = quantised.scale.known;
  return scale.known.every((value, i) => value === own[own.length > 1 ? i : 0]) ? quantised.numbers : undefined;
}

/** Products of floats that are scaled back from integers; each declines where its inputs are none. */
export const IN_INTEGERS: Readonly<Record<string, (call: Call) => Tensor | undefined>> = {
  Conv: (call) => productOf(call, 0, (x, w) => windowSums(call, x, w)),
  MatMul: (call) => productOf(call, call.tensor(1).shape.length - 1, (x, w) => matrixSums(call, x, w)),
  Gemm: (call) => {
    const plain = call.float('alpha', 1) === 1 && call.float('beta', 1) === 1 && !call.flag('transA');
    const turned = call.flag('transB');
    return plain ? productOf(call, turned ? 0 : 1, (x, w) => matrixSums(call, x, w, turned)) : undefined;
  },
};
