import type { Operand } from '../../graph/ir.ts';
import type { Call } from '../call.ts';
import type { Lowering } from '../lowerer.ts';
import type { Tensor } from '../values.ts';
import { add, mul, sub, where } from './math.ts';

/** A window that slides over the axes after batch and channels. */
interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Before each axis, then after each. */
  readonly pads: readonly number[];
}

/** The window of a convolution or pool over axes of these sizes. `auto_pad` is resolved. */
function windowOf(call: Call, sizes: readonly number[], kernel: readonly number[]): Window {
  const ones = sizes.map(() => 1);
  const strides = call.ints('strides', ones);
  const dilations = call.ints('dilations', ones);
  const given = call.ints(
    'pads',
    [...sizes, ...sizes].map(() => 0),
  );
  const auto = call.choice('auto_pad', 'NOTSET', ['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER']);
  if (kernel.length !== sizes.length || strides.length !== sizes.length || given.length !== 2 * sizes.length)
    call.fail(`a window of [${kernel}] with strides [${strides}] and pads [${given}] over [${sizes}]`);
  if (auto === 'NOTSET') return { kernel, strides, dilations, pads: given };
  if (auto === 'VALID') return { kernel, strides, dilations, pads: given.map(() => 0) };
  const all = sizes.map((size, d) => {
    const reach = (kernel[d]! - 1) * dilations[d]! + 1;
    return Math.max(0, (Math.ceil(size / strides[d]!) - 1) * strides[d]! + reach - size);
  });
  const less = all.map((pad) => pad >> 1);
  const more = all.map((pad, d) => pad - less[d]!);
  const pads = auto === 'SAME_UPPER' ? [...less, ...more] : [...more, ...less];
  return { kernel, strides, dilations, pads };
}

/** An image of one axis is one of height 1. */
const to2d = (list: readonly number[], one: number): number[] => (list.length === 1 ? [one, list[0]!] : [...list]);

/** WebNN's options of a window over one or two axes. */
function options2d({ strides, dilations, pads }: Window): {
  padding: number[];
  strides: number[];
  dilations: number[];
} {
  const half = pads.length / 2;
  const [before, after] = [to2d(pads.slice(0, half), 0), to2d(pads.slice(half), 0)];
  return {
    padding: [before[0]!, after[0]!, before[1]!, after[1]!],
    strides: to2d(strides, 1),
    dilations: to2d(dilations, 1),
  };
}

/** [N,C,L] as [N,C,1,L]. */
export const as2d = (call: Call, input: Operand): Operand =>
  input.shape.length === 3 ? call.reshape(input, [input.shape[0]!, input.shape[1]!, 1, input.shape[2]!]) : input;

export const back = (call: Call, output: Operand, rank: number): Operand =>
  rank === 3 ? call.reshape(output, [output.shape[0]!, output.shape[1]!, output.shape[3]!]) : output;

const needRank = (call: Call, shape: readonly number[], most = 4): void => {
  if (shape.length < 3 || shape.length > most) call.unsupported(`an input of rank ${shape.length}`);
};

/** The window of a convolution of an image by a filter. */
function windowOfFilter(call: Call, shape: readonly number[], filter: readonly number[]): Window {
  needRank(call, shape, 5);
  const kernel = call.ints('kernel_shape', filter.slice(2));
  if (kernel.some((size, d) => size !== filter[d + 2]))
    call.fail(`kernel_shape [${kernel}], the filter is [${filter}]`);
  return windowOf(call, shape.slice(2), kernel);
}

/** WebNN's options of a convolution over one or two axes. */
export const convolution2d = (call: Call, shape: readonly number[], filter: readonly number[]) => ({
  ...options2d(windowOfFilter(call, shape, filter)),
  groups: call.int('group', 1),
});

/** A convolution of one, two or three axes. */
export function convolve(call: Call, input: Operand, filter: Operand, bias: Operand | undefined): Operand {
  const { shape } = input;
  const window = windowOfFilter(call, shape, filter.shape);
  const groups = call.int('group', 1);
  if (shape.length === 5) {
    const half = window.pads.length / 2;
    const padding = Array.from({ length: half }, (_, d) => [window.pads[d]!, window.pads[d + half]!]).flat();
    const { strides, dilations } = window;
    return call.add('conv3d', { input, filter, bias }, { padding, strides, dilations, groups });
  }
  const inputs = { input: as2d(call, input), filter: as2d(call, filter), bias };
  return back(call, call.add('conv2d', inputs, { ...options2d(window), groups }), shape.length);
}

const conv: Lowering = (call) => call.made(convolve(call, call.operand(0), call.operand(1), call.optionalOperand(2)));

function convTranspose(call: Call): Tensor {
  const { shape } = call.tensor(0);
  needRank(call, shape);
  const filter = call.operand(1);
  const kernel = call.ints('kernel_shape', filter.shape.slice(2));
  const sizes = shape.slice(2);
  const strides = call.ints(
    'strides',
    sizes.map(() => 1),
  );
  const dilations = call.ints(
    'dilations',
    sizes.map(() => 1),
  );
  const extra = call.ints(
    'output_padding',
    sizes.map(() => 0),
  );
  const given = call.ints(
    'pads',
    [...sizes, ...sizes].map(() => 0),
  );
  const auto = call.choice('auto_pad', 'NOTSET', ['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER']);
  const asked = call.ints('output_shape', undefined)?.slice(-sizes.length);
  const full = sizes.map((size, d) => (size - 1) * strides[d]! + (kernel[d]! - 1) * dilations[d]! + 1 + extra[d]!);
  const same = auto.startsWith('SAME') ? sizes.map((size, d) => size * strides[d]!) : undefined;
  const wanted = asked ?? same;
  // With an output shape, the pads are what has to go.
  const pads = wanted
    ? (() => {
        const total = full.map((size, d) => Math.max(0, size - wanted[d]!));
        const less = total.map((pad) => pad >> 1);
        const more = total.map((pad, d) => pad - less[d]!);
        return auto === 'SAME_UPPER' ? [...less, ...more] : [...more, ...less];
      })()
    : auto === 'VALID'
      ? given.map(() => 0)
      : given;
  const half = sizes.length;
  const out = wanted ?? full.map((size, d) => size - pads[d]! - pads[d + half]!);
  const negative = pads.some((pad) => pad < 0);
  if (negative) call.unsupported(`pads of [${pads}]`);
  const window: Window = { kernel, strides, dilations, pads };
  const inputs = { input: as2d(call, call.operand(0)), filter: as2d(call, filter), bias: call.optionalOperand(2) };
  const groups = call.int('group', 1);
  const natural = full.map((size, d) => size - extra[d]! - pads[d]! - pads[d + half]!);
  const room = out.map((size, d) => size - natural[d]!);
  const fits = room.every((more, d) => more >= 0 && more < strides[d]!);
  if (fits) {
    const outputPadding = to2d(room, 0);
    return call.made(
      back(call, call.add('convTranspose2d', inputs, { ...options2d(window), outputPadding, groups }), shape.length),
    );
  }
  // More is asked for than the windows reach: zeros (and the bias) follow.
  const { bias, ...without } = inputs;
  const made = call.add('convTranspose2d', without, { ...options2d(window), groups });
  const target = to2d(out, 1);
  const tail = [0, 0, target[0]! - made.shape[2]!, target[1]! - made.shape[3]!];
  if (tail.some((size) => size < 0)) call.unsupported(`an output of [${out}]`);
  const grown = call.add('pad', { input: made }, { beginningPadding: [0, 0, 0, 0], endingPadding: tail });
  const biased = bias ? add(call, grown, call.reshape(bias, [1, bias.shape[0]!, 1, 1])) : grown;
  return call.made(back(call, biased, shape.length));
}

/** How many windows there are: with `ceil`, one that begins in the padding at the end is none. */
function windows(size: number, window: Window, d: number, ceil: boolean): number {
  const half = window.pads.length / 2;
  const [before, after] = [window.pads[d]!, window.pads[d + half]!];
  const reach = (window.kernel[d]! - 1) * window.dilations[d]! + 1;
  const room = (size + before + after - reach) / window.strides[d]!;
  if (!ceil) return Math.floor(room) + 1;
  const count = Math.ceil(room) + 1;
  return (count - 1) * window.strides[d]! >= size + before ? count - 1 : count;
}

/** A pool of one or two axes. `op` has WebNN's options. */
function pool(call: Call, op: string, more: object = {}): readonly Operand[] {
  const { shape } = call.tensor(0);
  needRank(call, shape, 5);
  const sizes = shape.slice(2);
  const ceil = call.flag('ceil_mode');
  const window = windowOf(call, sizes, call.ints('kernel_shape', undefined) ?? call.fail('kernel_shape is missing'));
  const out = sizes.map((size, d) => windows(size, window, d, ceil));
  if (shape.length === 5) {
    const half = window.pads.length / 2;
    const padding = Array.from({ length: half }, (_, d) => [window.pads[d]!, window.pads[d + half]!]).flat();
    const { strides, dilations, kernel } = window;
    const options = { windowDimensions: kernel, padding, strides, dilations, outputSizes: out, ...more };
    return call.several(op.replace('2d', '3d'), { input: call.operand(0) }, options);
  }
  const options = {
    ...options2d(window),
    windowDimensions: to2d(window.kernel, 1),
    outputSizes: to2d(out, 1),
    ...more,
  };
  return call
    .several(op, { input: as2d(call, call.operand(0)) }, options)
    .map((operand) => back(call, operand, shape.length));
}

/** An average over the windows of input 0. */
export const averagePool = (call: Call): Tensor => {
  const includePadding = call.flag('count_include_pad');
  return call.made(pool(call, 'averagePool2d', includePadding ? { includePadding } : {})[0]!);
};

function maxPool(call: Call): Tensor[] {
  const { type } = call.tensor(0);
  const order = call.int('storage_order', 0);
  if (call.node.outputs.length < 2) {
    const input = call.operand(0);
    if (input.dataType.startsWith('float')) return [call.made(pool(call, 'maxPool2d')[0]!)];
    // Bytes are whole in float32.
    const wide = call.of([call.made(call.cast(input, 'float32'), 'float')]);
    return [call.made(call.cast(pool(wide, 'maxPool2d')[0]!, input.dataType), type)];
  }
  if (order) call.unsupported('storage_order 1');
  const [values, indices] = pool(call, 'maxPool2dWithIndices') as [Operand, Operand];
  return [call.made(values), call.made(call.cast(indices, 'int32'), 'int64')];
}

function lpPool(call: Call): Tensor {
  const p = call.int('p', 2);
  return call.made(pool(call, p === 2 ? 'l2Pool2d' : 'lpPool2d', p === 2 ? {} : { p })[0]!);
}

/** A reduction over all axes after batch and channels. */
const global =
  (op: string): Lowering =>
  (call) => {
    const { shape } = call.tensor(0);
    const axes = shape.map((_, d) => d).slice(2);
    return call.made(call.add(op, { input: call.operand(0) }, { axes, keepDimensions: true }));
  };

function batchNormalization(call: Call): Tensor[] {
  call.skip('spatial', 'is_test', 'consumed_inputs');
  const { shape } = call.tensor(0);
  const momentum = call.float('momentum', 0.9);
  const [input, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map((i) => call.operand(i)) as [
    Operand,
    Operand,
    Operand,
    Operand,
    Operand,
  ];
  const options = { epsilon: call.float('epsilon', 1e-5), axis: shape.length > 1 ? 1 : 0 };
  if (!call.flag('training_mode'))
    return [call.made(call.add('batchNormalization', { input, mean, variance, scale, bias }, options))];
  const axes = shape.flatMap((_, d) => (d === 1 ? [] : [d]));
  const average = (of: Operand, keepDimensions: boolean): Operand =>
    call.add('reduceMean', { input: of }, { axes, keepDimensions });
  const off = sub(call, input, average(input, true));
  const own = { mean: average(input, false), variance: average(mul(call, off, off), false) };
  const running = (before: Operand, now: Operand): Tensor =>
    call.made(add(call, mul(call, before, momentum), mul(call, now, 1 - momentum)), call.tensor(3).type);
  return [
    call.made(call.add('batchNormalization', { input, ...own, scale, bias }, options)),
    running(mean, own.mean),
    running(variance, own.variance),
  ];
}

/** A product of matrices, of vectors too, with NumPy's broadcasting. */
export function multiply(call: Call, a: Operand, b: Operand, options: { transposeB?: boolean } = {}): Operand {
  const [left, right] = [a.shape.length === 1, b.shape.length === 1];
  const inputs = {
    a: left ? call.reshape(a, [1, a.shape[0]!]) : a,
    b: right ? call.reshape(b, [b.shape[0]!, 1]) : b,
  };
  const made = call.add('matmul', inputs, options);
  if (!left && !right) return made;
  const shape = made.shape.filter(
    (_, d) => !(left && d === made.shape.length - 2) && !(right && d === made.shape.length - 1),
  );
  return call.reshape(made, shape);
}

/** Sums of integers that float32 holds are exact below this. */
const EXACT = 2 ** 24;

/** The product of lines that are 1 at one place with a matrix: its rows at those places, zeros where there is none. */
function pickRows(call: Call, places: Operand, matrix: Operand): Operand {
  const rows = call.add('gather', { input: matrix, indices: places }, { axis: 0 });
  const below = call.add('lesser', { a: places, b: call.like(places, matrix.shape[0]!) });
  const inside = call.add('logicalAnd', {
    a: below,
    b: call.add('greaterOrEqual', { a: places, b: call.like(places, 0) }),
  });
  return where(call, call.reshape(inside, [...places.shape, 1]), rows, 0);
}

const matMul: Lowering = (call) => {
  const { ones, shape } = call.tensor(0);
  const b = call.operand(1);
  if (ones && b.shape.length === 2 && b.shape[0] === shape.at(-1)) return call.made(pickRows(call, ones, b));
  const a = call.operand(0);
  if (a.dataType.startsWith('float')) return call.made(multiply(call, a, b));
  const [left, right] = [call.cast(a, 'float32'), call.cast(b, 'float32')];
  const size = (input: Operand): Operand => call.add('abs', { input });
  const most = multiply(call, size(left), size(right));
  call.scope.expectZeros(call.add('greater', { a: most, b: call.like(most, EXACT) }), call.label);
  return call.made(call.cast(multiply(call, left, right), a.dataType));
};

function gemm(call: Call): Tensor {
  const inputs = { a: call.operand(0), b: call.operand(1), c: call.optionalOperand(2) };
  call.skip('broadcast');
  const options = {
    alpha: call.float('alpha', 1),
    beta: call.float('beta', 1),
    aTranspose: call.flag('transA'),
    bTranspose: call.flag('transB'),
  };
  return call.made(call.add('gemm', inputs, options));
}

export const NN: Readonly<Record<string, Lowering>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  AveragePool: averagePool,
  MaxPool: maxPool,
  LpPool: lpPool,
  GlobalAveragePool: global('reduceMean'),
  GlobalMaxPool: global('reduceMax'),
  GlobalLpPool: (call) => {
    const p = call.int('p', 2);
    if (p > 2) call.unsupported(`p is ${p}, expected 1 or 2`);
    return global(p === 1 ? 'reduceL1' : 'reduceL2')(call);
  },
  BatchNormalization: batchNormalization,
  MatMul: matMul,
  Gemm: gemm,
};
