import type { OnnxType } from '../../formats/onnx-model.ts';
import type { Operand } from '../../graph/ir.ts';
import { elementCount } from '../../tensor/types.ts';
import type { Call } from '../call.ts';
import type { Lowering } from '../lowerer.ts';
import { isFloating, isSigned, type Tensor } from '../values.ts';

/** An op of one argument. */
const unary =
  (op: string, type?: OnnxType): Lowering =>
  (call) =>
    call.made(call.add(op, { input: call.operand(0) }), type);

/** Integers of 16 and 4 bits are wider on the device: results wrap around there as they would in their own type. */
function wrapped(call: Call, operand: Operand, type: OnnxType): Tensor {
  if (type === 'uint16') return call.made(call.add('bitwiseAnd', { a: operand, b: call.like(operand, 0xffff) }), type);
  if (type !== 'int16') return call.made(operand, type);
  const moved = call.add('mod', { a: add(call, operand, 0x8000), b: call.like(operand, 0x10000) });
  return call.made(sub(call, moved, 0x8000), type);
}

/** Whose results may be larger than their operands. */
const OVERFLOWS = new Set(['add', 'sub', 'mul']);

/** Until opset 7 the axes of the second operand began at `axis` of the first. */
function placed(call: Call, a: Operand, b: Operand): Operand {
  call.skip('broadcast', 'consumed_inputs');
  const axis = call.intOr('axis');
  if (axis === undefined) return b;
  const after = a.shape.length - call.axis(axis, a.shape.length) - b.shape.length;
  return call.reshape(b, [...b.shape, ...Array.from({ length: Math.max(0, after) }, () => 1)]);
}

const binary =
  (op: string, type?: OnnxType): Lowering =>
  (call) => {
    const [a, second] = [call.operand(0), call.operand(1)];
    const b = call.opset < 7 ? placed(call, a, second) : second;
    const made = call.add(op, { a, b });
    const wide = (operand: Operand): Operand => call.cast(operand, 'float32');
    if (OVERFLOWS.has(op)) call.expectFits(call.tensor(0).type, made, () => call.add(op, { a: wide(a), b: wide(b) }));
    return wrapped(call, made, type ?? call.tensor(0).type);
  };

/** The places where one side of an equation meets the numbers 0, 1, 2 and so on along the last axis. */
function onesOf(call: Call, made: Operand): Operand | undefined {
  const lines = made.shape.slice(0, -1);
  for (const [i, j] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const { known, shape } = call.tensor(i);
    const isLine = known && [shape.at(-1), made.shape.at(-1)].every((size) => size === known.length);
    if (!isLine || !known.every((value, at) => Number(value) === at)) continue;
    const operand = call.operand(j);
    const narrow = operand.op === 'expand' ? operand.inputs['input']! : operand;
    if (narrow.dataType === 'int32' && narrow.shape.at(-1) === 1 && elementCount(narrow.shape) === elementCount(lines))
      return call.reshape(narrow, lines);
  }
  return undefined;
}

function equal(call: Call): Tensor {
  const made = binary('equal', 'bool')(call) as Tensor;
  return { ...made, ones: onesOf(call, made.operand!) };
}

/** An op of any number of arguments. */
const variadic =
  (op: string): Lowering =>
  (call) =>
    call.made(
      call
        .all()
        .map((tensor) => call.operand(tensor))
        .reduce((a, b) => call.add(op, { a, b })),
    );

/** An op with the attributes alpha and beta. */
const shaped =
  (op: string, alpha: number, beta?: number): Lowering =>
  (call) => {
    const options = {
      alpha: call.float('alpha', alpha),
      ...(beta !== undefined && { beta: call.float('beta', beta) }),
    };
    return call.made(call.add(op, { input: call.operand(0) }, options));
  };

export const mul = (call: Call, a: Operand, b: Operand | number): Operand =>
  call.add('mul', { a, b: typeof b === 'number' ? call.like(a, b) : b });
export const add = (call: Call, a: Operand, b: Operand | number): Operand =>
  call.add('add', { a, b: typeof b === 'number' ? call.like(a, b) : b });
export const sub = (call: Call, a: Operand, b: Operand | number): Operand =>
  call.add('sub', { a, b: typeof b === 'number' ? call.like(a, b) : b });
export const div = (call: Call, a: Operand, b: Operand | number): Operand =>
  call.add('div', { a, b: typeof b === 'number' ? call.like(a, b) : b });

/** condition ? x : y; a number is one like the other side. */
export function where(call: Call, condition: Operand, x: Operand | number, y: Operand | number): Operand {
  const other = (typeof x === 'number' ? y : x) as Operand;
  const side = (value: Operand | number): Operand => (typeof value === 'number' ? call.like(other, value) : value);
  return call.add('where', { condition, trueValue: side(x), falseValue: side(y) });
}

/** Numbers in another type of ONNX. */
export function castTo(call: Call, input: Tensor, type: OnnxType): Tensor {
  if (type === input.type) return input;
  if (type === 'string' || input.type === 'string') call.unsupported(`from ${input.type} to ${type} on the device`);
  const operand = call.operand(input);
  if (type === 'bool') return call.made(call.add('notEqual', { a: operand, b: call.like(operand, 0) }), type);
  const to = call.deviceType(type);
  const narrows = isFloating(input.type) && to === 'uint8';
  // Negative floats become uint8 by way of int32, which wraps around.
  const whole = narrows ? call.cast(operand, 'int32') : operand;
  const made = call.cast(whole, to);
  if (isFloating(input.type)) call.expectFits(type, made, () => call.cast(operand, 'float32'));
  return { ...wrapped(call, made, type), ones: input.ones };
}

function clip(call: Call): Tensor {
  const input = call.operand(0);
  const { type } = call.tensor(0);
  const fixed = (i: number, name: string): number | Operand | undefined => {
    if (call.opset < 11) return call.floatOr(name);
    const bound = call.optional(i);
    return bound && (bound.known ? Number(call.scalar(i)) : call.operand(i));
  };
  const [low, high] = [fixed(1, 'min'), fixed(2, 'max')];
  const isNumber = (bound: number | Operand | undefined): bound is number | undefined => typeof bound !== 'object';
  if (isNumber(low) && isNumber(high) && !(Number(low) > Number(high)))
    return call.made(
      call.add(
        'clamp',
        { input },
        { ...(low !== undefined && { alpha: low }), ...(high !== undefined && { beta: high }) },
      ),
    );
  const bound = (value: number | Operand): Operand => (typeof value === 'number' ? call.like(input, value) : value);
  const above = low === undefined ? input : call.add('max', { a: input, b: bound(low) });
  return call.made(high === undefined ? above : call.add('min', { a: above, b: bound(high) }), type);
}

/** softmax over one axis; before opset 13 over all axes from `axis` on. */
function alongLines(call: Call, line: (input: Operand, axis: number) => Operand): Tensor {
  const { shape } = call.tensor(0);
  const input = call.operand(0);
  const late = call.opset >= 13;
  const given = call.int('axis', late ? -1 : 1);
  const axis = given < 0 ? given + shape.length : given;
  if (late || axis === shape.length - 1) return call.made(line(input, call.axis(given, shape.length)));
  const flat = [elementCount(shape.slice(0, axis)), elementCount(shape.slice(axis))];
  return call.made(call.reshape(line(call.reshape(input, flat), 1), shape));
}

/** 1 for the first highest element of a line, else 0. */
function hardmax(call: Call, input: Operand, axis: number): Operand {
  const size = input.shape[axis]!;
  const highest = call.add('argMax', { input }, { axis, keepDimensions: true, outputDataType: 'int32' });
  const shape = input.shape.map((_, d) => (d === axis ? size : 1));
  const places = call.reshape(call.counting(size), shape);
  return call.cast(call.add('equal', { a: places, b: highest }), input.dataType);
}

export const logSoftmax = (call: Call, input: Operand, axis: number): Operand => {
  const highest = call.add('reduceMax', { input }, { axes: [axis], keepDimensions: true });
  const shifted = sub(call, input, highest);
  const sums = call.add('reduceLogSumExp', { input: shifted }, { axes: [axis], keepDimensions: true });
  return sub(call, shifted, sums);
};

const isInf: Lowering = (call) => {
  const input = call.operand(0);
  const [negative, positive] = [call.flag('detect_negative', true), call.flag('detect_positive', true)];
  const infinite = call.add('isInfinite', { input });
  if (negative && positive) return call.made(infinite, 'bool');
  const side = call.add(negative ? 'lesser' : 'greater', { a: input, b: call.like(input, 0) });
  const none = call.constant(
    'uint8',
    input.shape.map(() => 1),
    [0],
  );
  return call.made(
    negative || positive
      ? call.add('logicalAnd', { a: infinite, b: side })
      : call.add('logicalAnd', { a: infinite, b: none }),
    'bool',
  );
};

const gelu: Lowering = (call) => {
  const kind = call.choice('approximate', 'none', ['none', 'tanh']);
  return call.made(call.add(kind === 'tanh' ? 'gelu_tanh' : 'gelu', { input: call.operand(0) }));
};

function pow(call: Call): Tensor {
  const { type } = call.tensor(0);
  const base = call.operand(0);
  const exponent = call.operand(1);
  const own = isFloating(type) || exponent.dataType === base.dataType;
  const same = own ? call.cast(exponent, base.dataType) : exponent;
  const wide = (operand: Operand): Operand => call.cast(operand, 'float32');
  if (isFloating(type) || same.dataType === base.dataType) {
    const made = call.add('pow', { a: base, b: same });
    call.expectFits(type, made, () => call.add('pow', { a: call.add('abs', { input: wide(base) }), b: wide(same) }));
    return wrapped(call, made, type);
  }
  const raised = call.add('pow', { a: call.cast(base, 'float32'), b: call.cast(exponent, 'float32') });
  return wrapped(call, call.cast(raised, base.dataType), type);
}

const mod: Lowering = (call) => {
  const fmod = call.flag('fmod');
  return wrapped(
    call,
    call.add(fmod ? 'fmod' : 'mod', { a: call.operand(0), b: call.operand(1) }),
    call.tensor(0).type,
  );
};

export const MATH: Readonly<Record<string, Lowering>> = {
  Abs: (call) => (isSigned(call.tensor(0).type) ? unary('abs')(call) : call.tensor(0)),
  Acos: unary('acos'),
  Acosh: unary('acosh'),
  Asin: unary('asin'),
  Asinh: unary('asinh'),
  Atan: unary('atan'),
  Atanh: unary('atanh'),
  Ceil: unary('ceil'),
  Cos: unary('cos'),
  Cosh: unary('cosh'),
  Erf: unary('erf'),
  Exp: unary('exp'),
  Floor: unary('floor'),
  Log: unary('log'),
  Neg: (call) => wrapped(call, call.add('neg', { input: call.operand(0) }), call.tensor(0).type),
  Not: unary('logicalNot'),
  Reciprocal: unary('reciprocal'),
  Relu: unary('relu'),
  Round: unary('roundEven'),
  Sigmoid: unary('sigmoid'),
  Sign: (call) => {
    const input = call.operand(0);
    return isSigned(call.tensor(0).type)
      ? unary('sign')(call)
      : call.made(call.cast(call.add('notEqual', { a: input, b: call.like(input, 0) }), input.dataType));
  },
  Sin: unary('sin'),
  Sinh: unary('sinh'),
  Softplus: unary('softplus'),
  Softsign: unary('softsign'),
  Sqrt: unary('sqrt'),
  Tan: unary('tan'),
  Tanh: unary('tanh'),
  IsNaN: unary('isNaN', 'bool'),
  IsInf: isInf,
  BitwiseNot: (call) => {
    const { type } = call.tensor(0);
    if (type === 'uint64') call.unsupported('the upper bits of uint64, which the device has not');
    return wrapped(call, call.add('bitwiseNot', { input: call.operand(0) }), type);
  },
  HardSwish: unary('hardSwish'),
  LeakyRelu: shaped('leakyRelu', 0.01),
  Elu: shaped('elu', 1),
  HardSigmoid: shaped('hardSigmoid', 0.2, 0.5),
  Gelu: gelu,
  Selu: (call) => {
    const alpha = call.float('alpha', 1.6732631921768188);
    const gamma = call.float('gamma', 1.0507010221481323);
    return call.made(mul(call, call.add('elu', { input: call.operand(0) }, { alpha }), gamma));
  },
  Celu: (call) => {
    const alpha = call.float('alpha', 1);
    return call.made(mul(call, call.add('elu', { input: div(call, call.operand(0), alpha) }), alpha));
  },
  Mish: (call) => {
    const input = call.operand(0);
    return call.made(mul(call, input, call.add('tanh', { input: call.add('softplus', { input }) })));
  },
  Swish: (call) => {
    return call.made(call.add('swish', { input: call.operand(0) }, { alpha: call.float('alpha', 1) }));
  },
  ThresholdedRelu: (call) => {
    const input = call.operand(0);
    const above = call.add('greater', { a: input, b: call.like(input, call.float('alpha', 1)) });
    return call.made(where(call, above, input, 0));
  },
  Shrink: (call) => {
    const { type } = call.tensor(0);
    const input = call.operand(0);
    const wide = isFloating(type) ? input : call.cast(input, 'float32');
    const [lambda, bias] = [call.float('lambd', 0.5), call.float('bias', 0)];
    const below = call.add('lesser', { a: wide, b: call.like(wide, -lambda) });
    const above = call.add('greater', { a: wide, b: call.like(wide, lambda) });
    const low = where(call, below, add(call, wide, bias), 0);
    return call.made(call.cast(where(call, above, sub(call, wide, bias), low), input.dataType));
  },
  PRelu: (call) => {
    const [input, slope] = [call.operand(0), call.operand(1)];
    return call.made(call.add('prelu', { input, slope }));
  },
  Add: binary('add'),
  Sub: binary('sub'),
  Mul: binary('mul'),
  Div: binary('div'),
  Pow: pow,
  Mod: mod,
  And: binary('logicalAnd', 'bool'),
  Or: binary('logicalOr', 'bool'),
  Xor: binary('logicalXor', 'bool'),
  Equal: equal,
  Greater: binary('greater', 'bool'),
  GreaterOrEqual: binary('greaterOrEqual', 'bool'),
  Less: binary('lesser', 'bool'),
  LessOrEqual: binary('lesserOrEqual', 'bool'),
  BitwiseAnd: binary('bitwiseAnd'),
  BitwiseOr: binary('bitwiseOr'),
  BitwiseXor: binary('bitwiseXor'),
  BitShift: (call) => {
    if (call.choice('direction', 'LEFT', ['LEFT', 'RIGHT']) === 'RIGHT') return binary('shiftRight')(call);
    const [a, b] = [call.operand(0), call.operand(1)];
    const made = call.add('shiftLeft', { a, b });
    const { type } = call.tensor(0);
    call.expectFits(type, made, () => {
      const number = call.cast(a, 'float32');
      return mul(call, number, call.add('pow', { a: call.like(number, 2), b: call.cast(b, 'float32') }));
    });
    return wrapped(call, made, type);
  },
  Max: variadic('max'),
  Min: variadic('min'),
  Sum: variadic('add'),
  Mean: (call) => {
    const operands = call.all().map((tensor) => call.operand(tensor));
    return call.made(
      div(
        call,
        operands.reduce((a, b) => add(call, a, b)),
        operands.length,
      ),
    );
  },
  Clip: clip,
  Cast: (call) => {
    call.skip('saturate', 'round_mode');
    return castTo(call, call.tensor(0), call.castType());
  },
  CastLike: (call) => {
    call.skip('saturate', 'round_mode');
    return castTo(call, call.tensor(0), call.tensor(1).type);
  },
  Where: (call) => {
    const [condition, x, y] = [call.operand(0), call.operand(1), call.operand(2)];
    return call.made(where(call, condition, x, y), call.tensor(1).type);
  },
  Softmax: (call) => alongLines(call, (input, axis) => call.add('softmax', { input }, { axis })),
  LogSoftmax: (call) => alongLines(call, (input, axis) => logSoftmax(call, input, axis)),
  Hardmax: (call) => alongLines(call, (input, axis) => hardmax(call, input, axis)),
};
