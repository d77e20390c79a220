import type { Operand } from '../../graph/ir.ts';
import { broadcastShapes, elementCount } from '../../tensor/types.ts';
import type { Call } from '../call.ts';
import { HOST, rangeLength } from '../host.ts';
import type { Lowering } from '../lowerer.ts';
import { isFloating, known, MOST_KNOWN, NOTHING, type Scalar, type Tensor, type Value } from '../values.ts';
import { add, castTo, mul, where } from './math.ts';

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

function gatherND(call: Call): Tensor {
  const batches = call.int('batch_dims', 0);
  const [data, indices] = [call.operand(0), call.operand(1)];
  if (!batches) return call.made(call.add('gatherND', { input: data, indices }));
  // Batches become the first numbers of every index.
  const lead = indices.shape.slice(0, batches);
  const count = elementCount(lead);
  const inner = indices.shape.slice(batches, -1);
  const depth = indices.shape.at(-1)!;
  const flat = call.reshape(data, [count, ...data.shape.slice(batches)]);
  const own = call.reshape(indices, [count, elementCount(inner), depth]);
  const numbers = call.reshape(call.counting(count), [count, 1, 1]);
  const first = call.add('expand', { input: numbers }, { newShape: [count, elementCount(inner), 1] });
  const all = call.add('concat', { input0: first, input1: call.cast(own, 'int32') }, { axis: 2 });
  const picked = call.add('gatherND', { input: flat, indices: all });
  return call.made(call.reshape(picked, [...lead, ...inner, ...picked.shape.slice(2)]));
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
    const indices = Array.from({ length }, (_, i) => (((i - before[axis]!) % size) + size) % size);
    return call.add('gather', { input: whole, indices: call.constant('int32', [length], indices) }, { axis });
  }, input);
}

/** Blocks of b × b pixels from channels, or the other way round. */
function depthToSpace(call: Call): Tensor {
  const [n, c, h, w] = call.tensor(0).shape as [number, number, number, number];
  const b = call.int('blocksize');
  const mode = call.choice('mode', 'DCR', ['DCR', 'CRD']);
  const out = c / (b * b);
  const split = mode === 'DCR' ? [n, b, b, out, h, w] : [n, out, b, b, h, w];
  const order = mode === 'DCR' ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3];
  const turned = call.transpose(call.reshape(call.operand(0), split), order);
  return call.made(call.reshape(turned, [n, out, h * b, w * b]));
}

function spaceToDepth(call: Call): Tensor {
  const [n, c, h, w] = call.tensor(0).shape as [number, number, number, number];
  const b = call.int('blocksize');
  const split = call.reshape(call.operand(0), [n, c, h / b, b, w / b, b]);
  return call.made(call.reshape(call.transpose(split, [0, 3, 5, 1, 2, 4]), [n, c * b * b, h / b, w / b]));
}

/** 1 at [i, i + k] of each matrix, else 0. */
function eyeLike(call: Call): Tensor {
  const { shape, type } = call.tensor(0);
  const [rows, columns] = shape as [number, number];
  const k = call.int('k', 0);
  const number = call.intOr('dtype');
  const made = number === undefined ? type : call.typeNamed(number);
  if (rows * columns > MOST_KNOWN) {
    const [down, across] = [call.reshape(call.counting(rows), [rows, 1]), call.counting(columns)];
    return castTo(call, call.made(call.add('equal', { a: add(call, down, k), b: across }), 'bool'), made);
  }
  const values = call.list(rows * columns, (i) => Number((i % columns) - Math.floor(i / columns) === k));
  return known(made, shape, values);
}

function trilu(call: Call): Tensor {
  const upper = call.flag('upper', true);
  const diagonal = call.optional(1) ? Number(call.scalar(1)) : 0;
  return call.made(call.add('triangular', { input: call.operand(0) }, { upper, diagonal }));
}

/** values[1] where an index is met along a new axis, else values[0]. */
function oneHot(call: Call): Tensor {
  const { shape } = call.tensor(0);
  const depth = Number(call.scalar(1));
  const axis = call.axis(call.int('axis', -1), shape.length + 1);
  const given = call.operand(0);
  const indices = call.cast(given, 'int32');
  const spread = call.reshape(indices, [...shape.slice(0, axis), 1, ...shape.slice(axis)]);
  const negative = call.add('lesser', { a: spread, b: call.like(spread, 0) });
  const from0 = where(call, negative, call.add('add', { a: spread, b: call.like(spread, depth) }), spread);
  if (!(depth >= 0)) call.fail(`a depth of ${depth}`);
  const places = call.reshape(call.counting(depth), [depth, ...shape.slice(axis).map(() => 1)]);
  const values = call.operand(2);
  const [off, on] = [0, 1].map((start) =>
    call.reshape(call.add('slice', { input: values }, { starts: [start], sizes: [1] }), []),
  );
  return call.made(where(call, call.add('equal', { a: from0, b: places }), on!, off!), call.tensor(2).type);
}

/** What the host computes of numbers that a run finds. */
const onHost =
  (op: string): Lowering =>
  (call) => {
    const inputs = call.inputs.map((_, i) =>
      call.optional(i) ? { ...call.tensor(i), known: call.known(i) } : NOTHING,
    );
    return HOST[op]!(call.of(inputs));
  };

const scatterElements: Lowering = (call) => {
  const { shape } = call.tensor(0);
  const axis = call.axis(call.int('axis', 0), shape.length);
  const reduction = call.choice('reduction', 'none', ['none', 'add', 'mul', 'max', 'min']);
  const inputs = { input: call.operand(0), indices: call.operand(1), updates: call.operand(2) };
  return call.made(call.add('scatterElements', inputs, { axis, ...(reduction !== 'none' && { reduction }) }));
};

/** Updates at places that are known: of each row of the result, whether it is the input's or an update's. */
function scattered(call: Call, indices: readonly number[]): Operand {
  const [input, updates] = [call.operand(0), call.operand(2)];
  const depth = call.tensor(1).shape.at(-1)!;
  const lead = input.shape.slice(0, depth);
  const inner = elementCount(input.shape.slice(depth));
  const rows = elementCount(lead);
  const from = Array.from({ length: rows }, (_, row) => row);
  for (let i = 0; i * depth < indices.length; i++) {
    let row = 0;
    for (const [d, size] of lead.entries()) {
      const at = indices[i * depth + d]!;
      row = row * size + (at < 0 ? at + size : at);
    }
    if (!(row >= 0 && row < rows)) call.fail(`an index is out of [${lead}]`);
    from[row] = rows + i;
  }
  const both = {
    input0: call.reshape(input, [rows, inner]),
    input1: call.reshape(updates, [indices.length / depth, inner]),
  };
  const picked = call.add(
    'gather',
    { input: call.add('concat', both, { axis: 0 }), indices: call.constant('int32', [rows], from) },
    { axis: 0 },
  );
  return call.reshape(picked, input.shape);
}

const scatterND: Lowering = (call) => {
  const reduction = call.choice('reduction', 'none', ['none', 'add', 'mul', 'max', 'min']);
  const places = call.tensor(1);
  if (reduction === 'none' && places.known && places.known.length)
    return call.made(scattered(call, places.known.map(Number)));
  const inputs = { input: call.operand(0), indices: call.operand(1), updates: call.operand(2) };
  return call.made(call.add('scatterND', inputs, reduction === 'none' ? {} : { reduction }));
};

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
  GatherND: gatherND,
  GatherElements: (call) => {
    const axis = call.axis(call.int('axis', 0), call.tensor(0).shape.length);
    return call.made(call.add('gatherElements', { input: call.operand(0), indices: call.operand(1) }, { axis }));
  },
  ScatterElements: scatterElements,
  Scatter: scatterElements,
  ScatterND: scatterND,
  Expand: expand,
  Tile: tile,
  Pad: pad,
  Range: range,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  EyeLike: eyeLike,
  Trilu: trilu,
  OneHot: oneHot,
  NonZero: onHost('NonZero'),
  Compress: onHost('Compress'),
  Unique: onHost('Unique'),
  ReverseSequence: (call) => {
    const [batchAxis, timeAxis] = [call.int('batch_axis', 1), call.int('time_axis', 0)];
    const inputs = { input: call.operand(0), lengths: call.operand(1) };
    return call.made(call.add('reverseSequence', inputs, { batchAxis, timeAxis }));
  },
};
