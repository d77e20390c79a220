import { isFloat } from '../tensor/types.ts';
import type { OpCase, Tolerance } from './case.ts';
import { normwise } from './compare.ts';
import { coordinates, type RefTensor } from './reference/tensor.ts';

const EXACT: Tolerance = { ulps: 0, roundings: 0 };
const all = (ops: string, tolerance: Tolerance): [string, Tolerance][] => ops.split(' ').map((op) => [op, tolerance]);

/**
 * What an op may be off by. Functions of one and two arguments as in the W3C's WebNN tests; 1/1024 is for what GPUs have
 * fast approximate instructions for, and WGSL promises no more. Absolute terms of 1e-6 are for functions that come close
 * to zero by subtraction.
 */
const TABLE: ReadonlyMap<string, Tolerance> = new Map([
  ...all('identity abs neg sign ceil floor relu clamp max min logicalNot where', EXACT),
  ...all('transpose slice reverse pad expand reshape concat gather scatterRows', EXACT),
  ...all('maxPool2d reduceMax reduceMin', EXACT),
  ...all('add sub mul sqrt leakyRelu prelu', { ulps: 1 }),
  ...all('div reciprocal hardSigmoid linear', { ulps: 2, absolute: 1e-7 }),
  ...all('softsign hardSwish', { ulps: 4 }),
  ...all('exp pow', { ulps: 32 }),
  ...all('sigmoid', { ulps: 34 }),
  ...all('elu gelu gelu_tanh softplus', { ulps: 18, absolute: 1e-6 }),
  ...all('erf', { ulps: 4, absolute: 1e-6 }),
  ...all('sin cos tan tanh log', { absolute: 1 / 1024 }),
  ...all('cast', { ulps: 0 }),
  // exp at every element, and a sum of them.
  ...all('softmax', { ulps: 40 }),
  ...all('attention', { ulps: 40 }),
  ...all('reduceLogSum', { ulps: 4, absolute: 2e-6 }),
  // Made of other ops: what goes between them is rounded to the type it is stored in.
  ...all('gemm', { ulps: 4, roundings: 4 }),
  ...all('reduceLogSumExp', { ulps: 40, absolute: 2e-6, roundings: 4 }),
  ...all('batchNormalization instanceNormalization', { ulps: 8, roundings: 5 }),
  ...all('quantizeScales', { ulps: 3 }),
  ...all('dequantizeLinear', { ulps: 1 }),
]);

/** Sums: (2√K + 8) · 2^-24 of the mass, which is √K + 4 ulps. */
const SUM: Tolerance = { ulps: 4 };

/** WGSL lets what is smaller become zero: a softmax of ±60 gave 0 on llvmpipe where 8.4e-39 was due. */
const SUBNORMAL = 2 ** -126;

/** Bounds on the whole of a matrix product, ‖error‖ / ‖result‖. */
const NORMWISE: Partial<Record<string, number>> = { float32: 2e-6, float16: 2e-3 };

/** What is wrong with a result: the worst element with its coordinates, or nothing. */
export function findFault(
  { op, tolerance = TABLE.get(op) ?? SUM }: OpCase,
  got: Float64Array,
  want: RefTensor,
): string | undefined {
  const { dataType, shape, data, mass, terms = 1, either } = want;
  const { ulps = 0, absolute = 0, roundings = 1 } = tolerance;
  if (got.length !== data.length) return `${got.length} elements, expected ${data.length}`;
  const spread = ulps ? ulps + (terms > 1 ? Math.sqrt(terms) : 0) : 0;
  // A conversion to float16 may round either way.
  const stored = dataType === 'float16' ? roundings * 2 ** -10 : 0;
  const exact = !isFloat(dataType);
  let worst = { by: -1, index: -1, allowed: 0 };
  for (let i = 0; i < data.length; i++) {
    const expected = data[i]!;
    if (Object.is(got[i], expected) || got[i] === either?.[i]) continue;
    const size = mass ? mass[i]! : Math.abs(expected);
    const rounded =
      stored * (roundings > 1 ? Math.max(size, Math.abs(expected)) : Math.abs(expected)) + (stored ? 2 ** -24 : 0);
    const computed = spread ? spread * 2 ** -23 * size + SUBNORMAL : 0;
    const allowed = exact || !Number.isFinite(expected) ? 0 : computed + absolute + rounded;
    const error = Math.abs(got[i]! - expected);
    if (error <= allowed) continue;
    const by = allowed > 0 ? error / allowed : error;
    if (!(by <= worst.by)) worst = { by, index: i, allowed };
    if (Number.isNaN(by)) break;
  }
  if (worst.index >= 0) {
    const { index, allowed } = worst;
    const off = Math.abs(got[index]! - data[index]!);
    return `[${coordinates(shape, index)}] (element ${index}) is ${got[index]}, expected ${data[index]}: off by ${off}, ${allowed} allowed`;
  }
  const bound = NORMWISE[dataType];
  if ((op === 'matmul' || op === 'conv2d') && data.length >= 16) {
    const off = normwise(got, data);
    if (!(off <= bound!)) return `off by ${off} of its norm, ${bound} allowed`;
  }
  return undefined;
}
