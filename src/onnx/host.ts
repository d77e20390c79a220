import { TilewrightError } from '../errors.ts';
import type { OnnxType } from '../formats/onnx-model.ts';
import { broadcastShapes, elementCount, stridesOf } from '../tensor/types.ts';
import type { Call } from './call.ts';
import { isFloating, isWide, known, type Scalar, type Tensor, type Value } from './values.ts';

/** What the host computes of tensors whose numbers are known: arithmetic on shapes, exact in 64 bits. */
export type HostOp = (call: Call) => Value | readonly Value[];

type Shape = readonly number[];
type Index = readonly number[];

/** The tensor whose element at each index is `at(index)`. */
export function build(type: OnnxType, shape: Shape, at: (index: Index, flat: number) => Scalar): Tensor {
  const index = shape.map(() => 0);
  const values: Scalar[] = [];
  const count = elementCount(shape);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0))
    throw new TilewrightError('invalid-graph', `[${shape}] is no shape`);
  for (let flat = 0; flat < count; flat++) {
    const value = at(index, flat);
    if (value === undefined) throw new TilewrightError('invalid-graph', 'it reads beyond the end of an input');
    values.push(value);
    for (let d = shape.length - 1; d >= 0 && ++index[d]! >= shape[d]!; d--) index[d] = 0;
  }
  return known(type, shape, values);
}

/** The element of a known tensor at an index; dimensions of 1, and those that it lacks, repeat. */
export function reader({ shape, known }: Tensor): (index: Index) => Scalar {
  const strides = stridesOf(shape).map((stride, d) => (shape[d] === 1 ? 0 : stride));
  return (index) => {
    const shift = index.length - shape.length;
    return known![strides.reduce((sum, stride, d) => sum + stride * index[d + shift]!, 0)]!;
  };
}

const elementwise =
  (type: (inputs: readonly Tensor[]) => OnnxType, f: (...values: Scalar[]) => Scalar): HostOp =>
  (call) => {
    const tensors = call.all();
    call.tensor(Math.max(f.length, 1) - 1); // as many inputs as `f` has arguments; any number where it takes a list
    const shape = tensors.reduce<Shape>((sum, tensor) => broadcastShapes(call.label, sum, tensor.shape), []);
    const readers = tensors.map(reader);
    call.large(elementCount(shape));
    return build(type(tensors), shape, (index) => f(...readers.map((read) => read(index))));
  };

const first = ([tensor]: readonly Tensor[]): OnnxType => tensor!.type;
const toBool = (): OnnxType => 'bool';

/** A function of numbers, and of bigints where it has another form for them. */
const unary = (f: (x: number) => number, wide?: (x: bigint) => bigint): HostOp =>
  elementwise(first, (x) => (typeof x === 'bigint' && wide ? wide(x) : f(Number(x))));

const fold =
  (f: (x: number, y: number) => number, wide: (x: bigint, y: bigint) => bigint) =>
  (x: Scalar, y: Scalar): Scalar =>
    typeof x === 'bigint' && typeof y === 'bigint' ? wide(x, y) : f(Number(x), Number(y));

const binary = (f: (x: number, y: number) => number, wide: (x: bigint, y: bigint) => bigint): HostOp =>
  elementwise(first, fold(f, wide));

const compare = (f: (x: Scalar, y: Scalar) => boolean): HostOp => elementwise(toBool, (x, y) => (f(x, y) ? 1 : 0));

const abs = (x: bigint): bigint => (x < 0n ? -x : x);
const lesser = (x: bigint, y: bigint): bigint => (x < y ? x : y);
const larger = (x: bigint, y: bigint): bigint => (x > y ? x : y);
/** The remainder with the sign of the divisor. */
const modulo = (x: number, y: number): number => x - y * Math.floor(x / y);

/** Rounds halves to the even neighbour. */
export const roundEven = (x: number): number => {
  const floor = Math.floor(x);
  const half = x - floor;
  return half < 0.5 || (half === 0.5 && floor % 2 === 0) ? floor : floor + 1;
};

const divide = (type: OnnxType) => (x: number, y: number) =>
  isFloating(type) ? x / y : y === 0 ? 0 : Math.trunc(x / y);

const nonZero = (call: Call, y: Scalar): Scalar => {
  if (typeof y === 'bigint' && y === 0n) throw new TilewrightError('invalid-graph', `${call.label}: divides by 0`);
  return y;
};

/** The elements of lines along the axes that are reduced. */
const reduce =
  (f: (values: readonly Scalar[], type: OnnxType) => Scalar): HostOp =>
  (call) => {
    const input = call.tensor(0);
    const { axes, keep } = call.reduction(input);
    const kept = input.shape.map((size, d) => (axes.includes(d) ? 1 : size));
    const read = reader(input);
    const lines = new Map<string, Scalar[]>();
    build(input.type, input.shape, (index) => {
      const key = index.map((at, d) => (axes.includes(d) ? 0 : at)).join();
      const line = lines.get(key) ?? [];
      line.push(read(index));
      lines.set(key, line);
      return 0;
    });
    const made = build(input.type, kept, (index) => f(lines.get(index.join()) ?? [], input.type));
    return keep ? made : { ...made, shape: input.shape.filter((_, d) => !axes.includes(d)) };
  };

const largest = fold(Math.max, larger);
const least = fold(Math.min, lesser);

const sum = (values: readonly Scalar[], type: OnnxType): Scalar =>
  isWide(type)
    ? values.reduce<bigint>((total, value) => total + BigInt(value), 0n)
    : values.reduce<number>((total, value) => total + Number(value), 0);

const product = (values: readonly Scalar[], type: OnnxType): Scalar =>
  isWide(type)
    ? values.reduce<bigint>((total, value) => total * BigInt(value), 1n)
    : values.reduce<number>((total, value) => total * Number(value), 1);

/** The extreme of no elements: an infinity. Error: `invalid-graph` for a type without one. */
function nothingOf(type: OnnxType, sign: 1 | -1): Scalar {
  if (isFloating(type)) return sign * Number.POSITIVE_INFINITY;
  throw new TilewrightError('invalid-graph', `the extreme of no elements of ${type}`);
}

/** ONNX ops by name. Ops that are not here are computed on the device, also where their inputs are known. */
export const HOST: Readonly<Record<string, HostOp>> = {
  Abs: unary(Math.abs, abs),
  Neg: unary(
    (x) => -x,
    (x) => -x,
  ),
  Floor: unary(Math.floor),
  Ceil: unary(Math.ceil),
  Round: unary(roundEven),
  Sqrt: unary(Math.sqrt),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Cos: unary(Math.cos),
  Sin: unary(Math.sin),
  Reciprocal: unary((x) => 1 / x),
  Sign: unary(Math.sign, (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n)),
  Not: unary((x) => (x ? 0 : 1)),
  Add: binary(
    (x, y) => x + y,
    (x, y) => x + y,
  ),
  Sub: binary(
    (x, y) => x - y,
    (x, y) => x - y,
  ),
  Mul: binary(
    (x, y) => x * y,
    (x, y) => x * y,
  ),
  Div: (call) => {
    const divided = divide(call.tensor(0).type);
    return elementwise(first, (x, y) => fold(divided, (a, b) => a / b)(x, nonZero(call, y)))(call);
  },
  Mod: (call) => {
    const fmod = call.int('fmod', 0) === 1;
    const wide = (x: bigint, y: bigint): bigint => (fmod || x % y === 0n || x < 0n === y < 0n ? x % y : (x % y) + y);
    const narrow = fmod ? (x: number, y: number) => x % y : modulo;
    return elementwise(first, (x, y) => fold(narrow, wide)(x, nonZero(call, y)))(call);
  },
  Pow: elementwise(first, (x, y) =>
    typeof x === 'bigint' && typeof y === 'bigint' && y >= 0n && y < 64n ? x ** y : Number(x) ** Number(y),
  ),
  Max: elementwise(first, (...values) => values.reduce(largest)),
  Min: elementwise(first, (...values) => values.reduce(least)),
  Sum: elementwise(first, (...values) =>
    values.reduce((x, y) =>
      fold(
        (a, b) => a + b,
        (a, b) => a + b,
      )(x, y),
    ),
  ),
  Equal: compare((x, y) => x === y),
  Less: compare((x, y) => x < y),
  LessOrEqual: compare((x, y) => x <= y),
  Greater: compare((x, y) => x > y),
  GreaterOrEqual: compare((x, y) => x >= y),
  And: compare((x, y) => Boolean(x) && Boolean(y)),
  Or: compare((x, y) => Boolean(x) || Boolean(y)),
  Xor: compare((x, y) => Boolean(x) !== Boolean(y)),
  Where: elementwise(
    ([, tensor]) => tensor!.type,
    (condition, x, y) => (condition ? x : y),
  ),
  Clip(call) {
    const input = call.tensor(0);
    const [low, high] = [call.bound(1, 'min'), call.bound(2, 'max')];
    return elementwise(first, (x) => {
      const above = low !== undefined && x < low ? low : x;
      return high !== undefined && above > high ? high : above;
    })(call.of([input]));
  },
  Cast(call) {
    const type = call.castType();
    const input = call.tensor(0);
    call.skip('saturate', 'round_mode');
    return castTo(input, type, call.label);
  },
  CastLike(call) {
    call.skip('saturate', 'round_mode');
    return castTo(call.tensor(0), call.tensor(1).type, call.label);
  },
  ReduceSum: reduce(sum),
  ReduceProd: reduce(product),
  ReduceMax: reduce((values, type) => (values.length ? values.reduce(largest) : nothingOf(type, -1))),
  ReduceMin: reduce((values, type) => (values.length ? values.reduce(least) : nothingOf(type, 1))),
  ReduceMean: reduce((values, type) => {
    const total = sum(values, type);
    if (typeof total === 'bigint' && !values.length) throw new TilewrightError('invalid-graph', 'the mean of nothing');
    return typeof total === 'bigint' ? total / BigInt(values.length) : Number(total) / values.length;
  }),
  Concat(call) {
    const tensors = call.all();
    const axis = call.axis(call.int('axis'), tensors[0]!.shape.length);
    const shape = [...tensors[0]!.shape];
    shape[axis] = tensors.reduce((total, tensor) => total + tensor.shape[axis]!, 0);
    const readers = tensors.map(reader);
    return build(tensors[0]!.type, shape, (index) => {
      let at = index[axis]!;
      let which = 0;
      while (at >= tensors[which]!.shape[axis]!) at -= tensors[which++]!.shape[axis]!;
      return readers[which]!(index.map((i, d) => (d === axis ? at : i)));
    });
  },
  Gather(call) {
    const [data, indices] = [call.tensor(0), call.tensor(1)];
    const axis = call.axis(call.int('axis', 0), data.shape.length);
    const [read, pick] = [reader(data), reader(indices)];
    const shape = [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)];
    call.large(elementCount(shape));
    return build(data.type, shape, (index) => {
      const chosen = Number(pick(index.slice(axis, axis + indices.shape.length)));
      const size = data.shape[axis]!;
      const at = chosen < 0 ? chosen + size : chosen;
      if (!(at >= 0 && at < size))
        throw new TilewrightError('invalid-graph', `${call.label}: index ${chosen} of ${size} elements`);
      return read([...index.slice(0, axis), at, ...index.slice(axis + indices.shape.length)]);
    });
  },
  Slice(call) {
    const data = call.tensor(0);
    const { starts, steps, sizes } = call.slicing(data);
    const read = reader(data);
    return build(data.type, sizes, (index) => read(index.map((at, d) => starts[d]! + at * steps[d]!)));
  },
  Transpose(call) {
    const data = call.tensor(0);
    const rank = data.shape.length;
    const order = call.ints('perm', undefined) ?? data.shape.map((_, d) => rank - 1 - d);
    const read = reader(data);
    return build(
      data.type,
      order.map((d) => data.shape[d]!),
      (index) => read(data.shape.map((_, d) => index[order.indexOf(d)]!)),
    );
  },
  Expand(call) {
    const data = call.tensor(0);
    const shape = broadcastShapes(call.label, data.shape, call.numbers(1));
    call.large(elementCount(shape));
    return build(data.type, shape, reader(data));
  },
  Tile(call) {
    const data = call.tensor(0);
    const repeats = call.numbers(1);
    const read = reader(data);
    const shape = data.shape.map((size, d) => size * repeats[d]!);
    call.large(elementCount(shape));
    return build(data.type, shape, (index) => read(index.map((at, d) => at % data.shape[d]!)));
  },
  Range(call) {
    const [start, limit, delta] = [0, 1, 2].map((i) => call.scalar(i)) as [Scalar, Scalar, Scalar];
    const { type } = call.tensor(0);
    const count = rangeLength(call, start, limit, delta);
    call.large(count);
    return build(type, [count], (_, i) =>
      typeof start === 'bigint' ? start + BigInt(i) * BigInt(delta) : Number(start) + i * Number(delta),
    );
  },
  CumSum(call) {
    const data = call.tensor(0);
    const axis = call.axis(Number(call.scalar(1)), data.shape.length);
    const [exclusive, reverse] = [call.int('exclusive', 0), call.int('reverse', 0)];
    const read = reader(data);
    return build(data.type, data.shape, (index) => {
      const line: Scalar[] = [];
      for (let at = 0; at < data.shape[axis]!; at++) {
        const before = reverse ? at > index[axis]! : at < index[axis]!;
        if (before || (at === index[axis] && !exclusive)) line.push(read(index.map((i, d) => (d === axis ? at : i))));
      }
      return sum(line, data.type);
    });
  },
  Trilu(call) {
    const data = call.tensor(0);
    const upper = call.flag('upper', true);
    const diagonal = call.optional(1) ? Number(call.scalar(1)) : 0;
    const read = reader(data);
    return build(data.type, data.shape, (index) => {
      const [row, column] = index.slice(-2) as [number, number];
      const stays = upper ? column - row >= diagonal : column - row <= diagonal;
      return stays ? read(index) : 0;
    });
  },
  ScatterND(call) {
    const [data, indices, updates] = [call.tensor(0), call.tensor(1), call.tensor(2)];
    if (call.text('reduction', 'none') !== 'none') return call.elsewhere();
    const values = [...data.known!];
    const depth = indices.shape.at(-1)!;
    const strides = stridesOf(data.shape);
    const block = elementCount(data.shape.slice(depth));
    for (let row = 0; row < elementCount(indices.shape) / depth; row++) {
      let at = 0;
      for (let d = 0; d < depth; d++) {
        const index = Number(indices.known![row * depth + d]);
        const place = index < 0 ? index + data.shape[d]! : index;
        if (!(place >= 0 && place < data.shape[d]!))
          throw new TilewrightError('invalid-graph', `${call.label}: index ${index} of ${data.shape[d]} elements`);
        at += place * strides[d]!;
      }
      for (let i = 0; i < block; i++) values[at + i] = updates.known![row * block + i]!;
    }
    return known(data.type, data.shape, values);
  },
};

/** Elements of a range. Error: `invalid-graph` where it has no end. */
export function rangeLength(call: Call, start: Scalar, limit: Scalar, delta: Scalar): number {
  const count = Math.max(0, Math.ceil((Number(limit) - Number(start)) / Number(delta)));
  return Number.isSafeInteger(count) ? count : call.fail(`from ${start} to ${limit} in steps of ${delta}`);
}

/** Numbers in another type. Floats become integers by leaving out the fraction. */
function castTo(input: Tensor, type: OnnxType, label: string): Tensor {
  const values = input.known!.map((value) => {
    if (type === 'string') return String(value);
    if (typeof value !== 'string') return value;
    if (value.trim() === '' || Number.isNaN(Number(value) && !/nan/i.test(value)))
      throw new TilewrightError('invalid-graph', `${label}: "${value}" is no number`);
    return Number(value);
  });
  return known(type, input.shape, values);
}
