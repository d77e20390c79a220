import { SUM, type Tolerance } from '../ops/define.ts';
import { opNamed } from '../ops/index.ts';
import { isFloat } from '../tensor/types.ts';
import type { OpCase } from './case.ts';
import { normwise } from './compare.ts';
import { coordinates, elementsOf, type RefTensor } from './reference/tensor.ts';

/** WGSL may flush smaller numbers to zero: a softmax of ±60 gave 0 on llvmpipe where 8.4e-39 was right. */
const SUBNORMAL = 2 ** -126;

/** Bounds on ‖error‖ / ‖result‖ of a matrix product. */
const NORMWISE: Partial<Record<string, number>> = { float32: 2e-6, float16: 2e-3 };

/** The error of a result at the element where it is largest against what is allowed there. */
export interface Difference {
  /** `[1,5] (element 12)`, or `the norm` of all. */
  readonly where: string;
  readonly got: number;
  readonly want: number;
  /** |got - want|; for the norm ‖got - want‖ / ‖want‖. */
  readonly error: number;
  readonly allowed: number;
}

/** NaN is wrong too. */
export const isWrong = ({ error, allowed }: Difference): boolean => !(error <= allowed);

/** error / allowed: wrong above 1. */
export const shareOf = ({ error, allowed }: Difference): number => (error === 0 ? 0 : error / allowed);

export function describeFault({ where, got, want, error, allowed }: Difference): string {
  const off = `off by ${brief(error, 3)}`;
  if (where === NORM) return `${off} of its norm, ${brief(allowed, 3)} allowed`;
  return `${where} is ${brief(got, 8)}, expected ${brief(want, 8)}: ${off}, ${brief(allowed, 3)} allowed`;
}

const brief = (value: number, digits: number): number => Number(value.toPrecision(digits));

const NORM = 'the norm';

export const worse = (a: Difference, b: Difference): Difference => (isWrong(a) || shareOf(b) <= shareOf(a) ? a : b);

function toleranceOf({ op, inputs, tolerance }: OpCase): Tolerance {
  const own = opNamed(op).tolerance ?? SUM;
  return tolerance ?? (typeof own === 'function' ? own(inputs) : own);
}

/**
 * Compares a result with its reference at `places` (flat indices; all where absent). `got` has the elements of these
 * places.
 */
export function differenceOf(
  test: OpCase,
  got: ArrayLike<number>,
  reference: RefTensor,
  places?: Uint32Array,
): Difference {
  const { op } = test;
  const { dataType, shape, terms = 1 } = reference;
  const { ulps = 0, absolute = 0, roundings = 1 } = toleranceOf(test);
  const { data, mass, either } = elementsOf(reference, places);
  if (got.length !== data.length)
    return { where: 'the length', got: got.length, want: data.length, error: Number.NaN, allowed: 0 };
  const spread = ulps ? ulps + (terms > 1 ? Math.sqrt(terms) : 0) : 0;
  // A conversion to float16 may round up or down.
  const stored = dataType === 'float16' ? roundings * 2 ** -10 : 0;
  const exact = !isFloat(dataType);
  const allowedAt = (i: number): number => {
    const expected = data[i]!;
    if (exact || !Number.isFinite(expected)) return 0;
    const size = mass ? mass[i]! : Math.abs(expected);
    const rounded =
      stored * (roundings > 1 ? Math.max(size, Math.abs(expected)) : Math.abs(expected)) + (stored ? 2 ** -24 : 0);
    const computed = spread ? spread * 2 ** -23 * size + SUBNORMAL : 0;
    return computed + absolute + rounded;
  };
  let [worst, most] = [0, -1];
  for (let i = 0; i < data.length; i++) {
    const error = Object.is(got[i], data[i]) || got[i] === either?.[i] ? 0 : Math.abs(got[i]! - data[i]!);
    const share = error && error / allowedAt(i);
    if (share <= most) continue;
    [worst, most] = [i, share];
    if (Number.isNaN(share)) break;
  }
  const element: Difference = {
    where: `[${coordinates(shape, places?.[worst] ?? worst)}] (element ${places?.[worst] ?? worst})`,
    got: got[worst]!,
    want: data[worst]!,
    error: most <= 0 ? 0 : Math.abs(got[worst]! - data[worst]!),
    allowed: allowedAt(worst),
  };
  if (!opNamed(op).weight || data.length < 16 || isWrong(element)) return element;
  if (!Array.prototype.every.call(data, Number.isFinite)) return element;
  const error = normwise(got, data);
  return worse(element, { where: NORM, got: error, want: 0, error, allowed: NORMWISE[dataType]! });
}
