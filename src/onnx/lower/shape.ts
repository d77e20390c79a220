import type { Operand } from '../../graph/ir.ts';
import { broadcastShapes, elementCount } from '../../tensor/types.ts';
import type { Call } from '../call.ts';
import { HOST, rangeLength } from '../host.ts';
import type { Lowering } from '../lowerer.ts';
import { isFloating, known, MOST_KNOWN, type Scalar, type Tensor, type Value } from '../values.ts';
import { add, mul } from './math.ts';

/** The same numbers in another shape. */
export function alias(call: Call, tensor: Tensor, shape: readonly number[]): Tensor {
  if (elementCount(shape) !== elementCount(tensor.shape))
    call.fail(`[${tensor.shape}] does not become [${shape}]: the numbers of elements differ`);
  if (tensor.known) return { kind: 'tensor', type: tensor.type, shape, known: tensor.known };
  return call.made(call.reshape(call.operand(tensor), shape), tensor.type);
}

const int64 = (values: readonly number[]): Tensor => known('int64', [values.length], values);

function reshape(call: Call): Tensor {
  const data = call.tensor(0);
  const asked = call.listOr('shape', 1) ?? call.fail('the shape is missing');
  const keepsZero = call.flag('allowzero');
  const shape = asked.map((size, d) =>
    size === 0 && !keepsZero ? (data.shape[d] ?? call.fail('a 0 has no dimension to copy')) : size,
  );
  const free = shape.indexOf(-1);
  if (free >= 0) {
    const others = shape.reduce((product, size, d) => (d === free ? product : product * size), 1);
    shape[free] = others ? elementCount(data.shape) / others : 0;
    if (!Number.isInteger(shape[free])) call.fail(`[${data.shape}] does not become [${asked}]`);
  }
  if (shape.some((size) => size < 0)) call.fail(`[${asked}] is no shape`);
  return alias(call, data, shape);
}

function squeeze(call: Call): Tensor {
  const data = call.tensor(0);
  const given = call.listOr('axes', 1)?.map((axis) => call.axis(axis, data.shape.length));
  for (const axis of given ?? []) if (data.shape[axis] !== 1) call.fail(`axis ${axis} of [${data.shape}] is not 1`);
  return alias(
    call,
    data,
    data.shape.filter((size, d) => (given ? !given.includes(d) : size !== 1)),
  );
}

function unsqueeze(call: Call): Tensor {
  const data = call.tensor(0);
  const given = call.listOr('axes', 1) ?? call.fail('axes are missing');
  const rank = data.shape.length + given.length;
  const axes = given.map((axis) => call.axis(axis, rank));
  if (new Set(axes).size !== axes.length) call.fail(`axes [${given}] name one twice`);
  const sizes = [...data.shape];
  return alias(
    call,
    data,
    Array.from({ length: rank }, (_, d) => (axes.includes(d) ? 1 : sizes.shift()!)),
  );
}

function flatten(call: Call): Tensor {
  const data = call.tensor(0);
  const given = call.int('axis', 1);
  const axis = given < 0 ? given + data.shape.length : given;
  return alias(call, data, [elementCount(data.shape.slice(0, axis)), elementCount(data.shape.slice(axis))]);
}

function shapeOf(call: Call): Tensor {
  const { shape } = call.tensor(0);
  const at = (name: string, otherwise: number): number => {
    const value = call.int(name, otherwise);
    return Math.min(Math.max(value < 0 ? value + shape.length : value, 0), shape.length);
  };
  return int64(shape.slice(at('start', 0), at('end', shape.length)));
}

function constant(call: Call): Value {
  const { scope } = call;
  const file = call.attributeTensor('value');
  if (file) return scope.tensorOf(file);
  const number = call.floatOr('value_float');
  if (number !== undefined) return known('float', [], [number]);
  const numbers = call.floats('value_floats');
  if (numbers) return known('float', [numbers.length], numbers);
  const integer = call.intOr('value_int');
  if (integer !== undefined) return known('int64', [], [BigInt(integer)]);
  const integers = call.ints('value_ints', undefined);
  if (integers) return int64(integers);
  const texts = call.texts('value_strings');
  if (texts) return known('string', [texts.length], texts);
  return known('string', [], [call.text('value_string', '')]);
}

function constantOfShape(call: Call): Tensor {
  const shape = call.numbers(0);
  const file = call.attributeTensor('value');
  const given = file && call.scope.tensorOf(file);
  const value = given ? given.known![0]! : 0;
  return filled(call, given?.type ?? 'float', shape, value);
}

/** A tensor of one number. */
function filled(call: Call, type: Tensor['type'], shape: readonly number[], value: Scalar): Tensor {
  const count = elementCount(shape);
  if (shape.some((size) => !(size >= 0))) call.fail(`[${shape}] is no shape`);
  if (count <= 1024)
    return known(
      type,
      shape,
      Array.from({ length: count }, () => value),
    );
  const one = call.constant(
    type,
    shape.map(() => 1),
    [value],
  );
  return call.made(call.add('expand', { input: one }, { newShape: shape }), type);
}

function range(call: Call): Value {
  const [start, limit, delta] = [0, 1, 2].map((i) => call.scalar(i)) as [Scalar, Scalar, Scalar];
  const count = rangeLength(call, start, limit, delta);
  const { type } = call.tensor(0);
  if (count <= MOST_KNOWN)
    return HOST['Range']!(call.of([start, limit, delta].map((value) => known(type, [], [value])))) as Value;
  const last = Number(start) + (count - 1) * Number(delta);
  if (!isFloating(type) && Math.max(Math.abs(Number(start)), Math.abs(last)) >= 2 ** 31)
    call.unsupported(`numbers from ${start} to ${last} on the device`);
  const places = call.cast(call.counting(count), call.deviceType(type));
  return call.made(add(call, mul(call, places, Number(delta)), Number(start)), type);
}

function transpose(call: Call): Tensor {
  const data = call.tensor(0);
  const order = call.ints(
    'perm',
    data.shape.map((_, d) => data.shape.length - 1 - d),
  );
  return call.made(call.transpose(call.operand(0), order));
}

function concat(call: Call): Tensor {
  const tensors = call.all();
  const axis = call.axis(call.int('axis', call.opset < 4 ? 1 : undefined), tensors[0]!.shape.length);
  const operands = tensors.map((tensor) => call.operand(tensor));
  const joined = (list: readonly Operand[]): Operand =>
    call.add('concat', Object.fromEntries(list.map((operand, i) => [`input${i}`, operand])), { axis });
  const made = joined(operands);
  // What has no elements, such as a cache before the first token, is checked and left out.
  const some = operands.filter(({ shape }) => shape[axis] !== 0);
  return call.made(some.length === 1 ? some[0]! : some.length && some.length < operands.length ? joined(some) : made);
}

function split(call: Call): Tensor[] {
  const data = call.tensor(0);
  const axis = call.axis(call.int('axis', 0), data.shape.length);
  const size = data.shape[axis]!;
  const given = call.listOr('split', 1);
  const parts = call.int('num_outputs', call.node.outputs.length);
  if (!given && parts !== call.node.outputs.length)
    call.fail(`num_outputs is ${parts}, it has ${call.node.outputs.length} outputs`);
  const each = Math.ceil(size / parts);
  const splits = given ?? Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(each, size - i * each)));
  return pieces(call, data, axis, splits);
}

export function pieces(call: Call, data: Tensor, axis: number, splits: readonly number[]): Tensor[] {
  const input = call.operand(data);
  return call.several('split', { input }, { splits, axis }).map((operand) => call.made(operand, data.type));
}

function slice(call: Call): Tensor {
  const data = call.tensor(0);
  const { starts, steps, sizes } = call.slicing(data);
  // An axis that goes down is turned first.
  const turned = steps.flatMap((step, d) => (step < 0 ? [d] : []));
  const input = call.operand(0);
  const along = turned.length ? call.add('reverse', { input }, { axes: turned }) : input;
  const from = starts.map((start, d) => (steps[d]! < 0 ? data.shape[d]! - 1 - start : start));
  const strides = steps.map(Math.abs);
  const lengths = sizes.map((size, d) => (size ? (size - 1) * strides[d]! + 1 : 0));
  const inside = from.map((at, d) => (lengths[d] ? at : 0));
  return call.made(call.add('slice', { input: along }, { starts: inside, sizes: lengths, strides }));
}

function gather(call: Call): Tensor {
  const { shape } = call.tensor(0);
  const axis = call.axis(call.int('axis', 0), shape.length);
  return call.made(call.add('gather', { input: call.operand(0), indices: call.operand(1) }, { axis }));
}

function expand(call: Call): Tensor {
  const { shape } = call.tensor(0);
  const newShape = broadcastShapes(call.label, shape, call.numbers(1));
  return call.made(call.add('expand', { input: call.operand(0) }, { newShape }));
}

function tile(call: Call): Tensor {
  return call.made(call.add('tile', { input: call.operand(0) }, { repetitions: call.numbers(1) }));
}

function pad(call: Call): Tensor {
  const { shape, type } = call.tensor(0);
  const mode = call.choice('mode', 'constant', ['constant', 'reflect', 'edge', 'wrap']);
  const pads = call.listOr(call.opset < 2 ? 'paddings' : 'pads', 1) ?? call.fail('pads are missing');
  const value = Number(call.opset < 11 ? call.float('value', 0) : call.optional(2) ? call.scalar(2) : 0);
  const axes = (call.optional(3) ? call.numbers(3) : shape.map((_, d) => d)).map((axis) =>
    call.axis(axis, shape.length),
  );
  if (pads.length !== 2 * axes.length) call.fail(`${pads.length} pads for ${axes.length} axes`);
  const at = (end: number) => (d: number) => {
    const i = axes.indexOf(d);
    return i < 0 ? 0 : pads[i + end * axes.length]!;
  };
  const [before, after] = [shape.map((_, d) => at(0)(d)), shape.map((_, d) => at(1)(d))];
  // Negative pads cut off.
  const cut = (size: number): number => Math.max(0, -size);
  const starts = before.map(cut);
  const sizes = shape.map((size, d) => size - cut(before[d]!) - cut(after[d]!));
  let input = call.operand(0);
  if (before.some((size) => size < 0) || after.some((size) => size < 0))
    input = call.add('slice', { input }, { starts, sizes });
  const grow = (size: number): number => Math.max(0, size);
  const [beginningPadding, endingPadding] = [before.map(grow), after.map(grow)];
  if (mode === 'wrap') return call.made(wrapAround(call, input, beginningPadding, endingPadding), type);
  const webnn = { constant: 'constant', reflect: 'reflection', edge: 'edge' }[mode];
  return call.made(call.add('pad', { input }, { beginningPadding, endingPadding, mode: webnn, value }), type);
}

/** Each axis goes on from the other end. */
function wrapAround(call: Call, input: Operand, before: readonly number[], after: readonly number[]): Operand {
  return input.shape.reduce<Operand>((whole, size, axis) => {
    const length = before[axis]! + size + after[axis]!;
    if (length === size) return whole;
    const indices = call.list(length, (i) => (((i - before[axis]!) % size) + size) % size);
    return call.add('gather', { input: whole, indices: call.constant('int32', [length], indices) }, { axis });
  }, input);
}

export const SHAPE: Readonly<Record<string, Lowering>> = {
  Shape: shapeOf,
  Size: (call) => known('int64', [], [elementCount(call.tensor(0).shape)]),
  Identity: (call) => call.value(0),
  Dropout: (call) => {
    call.skip('ratio', 'seed', 'is_test');
    const trains = call.optional(2) && Number(call.scalar(2));
    if (trains && !(call.optional(1) && Number(call.scalar(1)) === 0)) call.unsupported('training mode');
    return [call.value(0), filled(call, 'bool', call.tensor(0).shape, 1)];
  },
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Slice: slice,
  Gather: gather,
  Expand: expand,
  Tile: tile,
  Pad: pad,
  Range: range,
};
