import { erf } from '../../tensor/erf.ts';
import { broadcastShapes, type DataType, isFloat } from '../../tensor/types.ts';
import { at, build, held, type RefInputs, type RefTensor, spread } from './tensor.ts';

const limit = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

type Unary = (x: number, alpha: number, beta: number) => number;

/** Functions of one argument. `alpha` and `beta` are NaN where the options do not give them. */
export const UNARY: Readonly<Record<string, Unary>> = {
  identity: (x) => x,
  abs: Math.abs,
  neg: (x) => -x,
  sign: Math.sign,
  ceil: Math.ceil,
  floor: Math.floor,
  reciprocal: (x) => 1 / x,
  sqrt: Math.sqrt,
  exp: Math.exp,
  log: Math.log,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  relu: (x) => Math.max(x, 0),
  clamp: (x, low, high) => limit(x, Number.isNaN(low) ? -Infinity : low, Number.isNaN(high) ? Infinity : high),
  leakyRelu: (x, alpha) => (x >= 0 ? x : (Number.isNaN(alpha) ? 0.01 : alpha) * x),
  elu: (x, alpha) => (x >= 0 ? x : (Number.isNaN(alpha) ? 1 : alpha) * Math.expm1(x)),
  hardSigmoid: (x, alpha, beta) =>
    limit((Number.isNaN(alpha) ? 0.2 : alpha) * x + (Number.isNaN(beta) ? 0.5 : beta), 0, 1),
  hardSwish: (x) => (x * limit(x + 3, 0, 6)) / 6,
  swish: (x, alpha) => x / (1 + Math.exp(-(Number.isNaN(alpha) ? 1 : alpha) * x)),
  linear: (x, alpha, beta) => (Number.isNaN(alpha) ? 1 : alpha) * x + (Number.isNaN(beta) ? 0 : beta),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  softsign: (x) => x / (1 + Math.abs(x)),
  erf,
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  gelu_tanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  logicalNot: (x) => Number(x === 0),
  roundEven: (x) => {
    const near = Math.round(x);
    return near - x === 0.5 && near % 2 !== 0 ? near - 1 : near;
  },
  isNaN: (x) => Number(Number.isNaN(x)),
  isInfinite: (x) => Number(Math.abs(x) === Infinity),
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  bitwiseNot: (x) => ~x,
};

/** Functions whose results are not of the type of their argument. */
const UNARY_OUTPUT: Readonly<Record<string, DataType>> = { isNaN: 'uint8', isInfinite: 'uint8' };

export interface ActivationOptions {
  alpha?: number;
  beta?: number;
}

export const applyUnary = (
  name: string,
  x: number,
  { alpha = Number.NaN, beta = Number.NaN }: ActivationOptions = {},
): number => UNARY[name]!(x, alpha, beta);

export const unary =
  (name: string) =>
  ({ input }: RefInputs, options: ActivationOptions): RefTensor => {
    const dataType = UNARY_OUTPUT[name] ?? input!.dataType;
    return build(dataType, input!.shape, (index) => held(dataType, applyUnary(name, at(input!, index), options)));
  };

/** The activation of the first half of a row, times the second. */
export function glu(
  { input }: RefInputs,
  { activation }: { activation: { name: string } & ActivationOptions },
): RefTensor {
  const { dataType, shape } = input!;
  const columns = shape.at(-1)! / 2;
  return build(dataType, [...shape.slice(0, -1), columns], (index) => {
    const value = at(input!, [...index.slice(0, -1), columns + index.at(-1)!]);
    return applyUnary(activation.name, at(input!, index), activation) * value;
  });
}

interface Binary {
  f: (a: number, b: number) => number;
  /** What rounding errors scale with, where it is not the result. */
  mass?: (a: number, b: number) => number;
  output?: DataType;
  /** Of integers, where float64 would round. */
  integers?: (a: number, b: number) => number;
}

/** C's pow: JavaScript's has NaN where the base is 1 or -1 and the exponent infinite, or the base 1 and the exponent NaN. */
const pow = (a: number, b: number): number => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b);

/** Wraps around at 32 bits. An exponent below zero gives 1 / a^-b without the fraction. */
function integerPow(a: number, b: number): number {
  if (b < 0) return a === 1 || a === -1 ? a ** (b % 2) : 0;
  let power = 1;
  for (let square = a, left = b; left > 0; left = Math.floor(left / 2)) {
    if (left % 2) power = Math.imul(power, square);
    square = Math.imul(square, square);
  }
  return power;
}

/** The remainder with the sign of b. */
const mod = (a: number, b: number): number => {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
};

const truth = (f: (a: number, b: number) => boolean): Binary => ({ f: (a, b) => Number(f(a, b)), output: 'uint8' });

/** Functions of two arguments. */
export const BINARY: Readonly<Record<string, Binary>> = {
  add: { f: (a, b) => a + b },
  sub: { f: (a, b) => a - b },
  mul: { f: (a, b) => a * b },
  div: { f: (a, b) => a / b },
  max: { f: Math.max },
  min: { f: Math.min },
  pow: { f: pow, integers: integerPow },
  mod: { f: mod },
  fmod: { f: (a, b) => a % b },
  prelu: { f: (x, slope) => (x >= 0 ? x : slope * x) },
  equal: truth((a, b) => a === b),
  notEqual: truth((a, b) => a !== b),
  greater: truth((a, b) => a > b),
  greaterOrEqual: truth((a, b) => a >= b),
  lesser: truth((a, b) => a < b),
  lesserOrEqual: truth((a, b) => a <= b),
  logicalAnd: truth((a, b) => a !== 0 && b !== 0),
  logicalOr: truth((a, b) => a !== 0 || b !== 0),
  logicalXor: truth((a, b) => (a !== 0) !== (b !== 0)),
  bitwiseAnd: { f: (a, b) => a & b },
  bitwiseOr: { f: (a, b) => a | b },
  bitwiseXor: { f: (a, b) => a ^ b },
  shiftLeft: { f: (a, b) => (b > 31 ? 0 : a << b) },
  shiftRight: { f: (a, b) => (b > 31 ? 0 : a >>> b) },
};

export const binary =
  (name: string) =>
  (inputs: RefInputs): RefTensor => {
    const { f: own, output, integers } = BINARY[name]!;
    const [x, y] = name === 'prelu' ? [inputs.input!, inputs.slope!] : [inputs.a!, inputs.b!];
    const dataType = output ?? x.dataType;
    const f = (!isFloat(dataType) && integers) || own;
    return build(dataType, broadcastShapes(name, x.shape, y.shape), (index) =>
      held(dataType, f(spread(x, index), spread(y, index))),
    );
  };

export function where({ condition, trueValue, falseValue }: RefInputs): RefTensor {
  const shape = broadcastShapes(
    'where',
    condition!.shape,
    broadcastShapes('where', trueValue!.shape, falseValue!.shape),
  );
  return build(trueValue!.dataType, shape, (index) =>
    spread(spread(condition!, index) ? trueValue! : falseValue!, index),
  );
}

export const cast = ({ input }: RefInputs, { to }: { to: DataType }): RefTensor =>
  build(to, input!.shape, (index) => held(to, at(input!, index)));

export const references = {
  ...Object.fromEntries(Object.keys(UNARY).map((name) => [name, unary(name)])),
  ...Object.fromEntries(Object.keys(BINARY).map((name) => [name, binary(name)])),
  where,
  cast,
  glu,
};
