import binaryParts from '../../shaders/lib/binary_math.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import result from '../../shaders/lib/result.wgsl';
import stored from '../../shaders/lib/stored.wgsl';
import strides from '../../shaders/lib/strides.wgsl';
import unaryParts from '../../shaders/lib/unary_math.wgsl';
import whereKernel from '../../shaders/where.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { broadcastShapes, type DataType, elementCount } from '../tensor/types.ts';
import {
  defineOp,
  EXACT,
  FACTORS,
  FLAT,
  flatGrid,
  type Labelled,
  NUMBERS,
  type Operand,
  SIGNED,
  SIGNED_FACTORS,
  type Tolerance,
} from './define.ts';
import { type BinaryRow, defineBinary, defineUnary, FAST, NEAR_ZERO, stridedParams, TWO_STEPS } from './elementwise.ts';

const INTEGERS: readonly DataType[] = ['int32', 'uint32', 'int8', 'uint8'];
/** Of bits that 32 of a number of 64 decide: it is its lower half, extended. */
const BITS: readonly DataType[] = [...INTEGERS, 'int64', 'uint64'];
const UNSIGNED: readonly DataType[] = ['uint32', 'uint8'];

/** WGSL promises 3 + 2|x| ulps of exp(x); these square exp(x/2). */
const POWERS: Tolerance = { ulps: 40 };

export const mathUnary = defineUnary(unaryParts, {
  leakyRelu: { flops: 2, alpha: 0.01, tolerance: { ulps: 1 } },
  softplus: { flops: 5, tolerance: NEAR_ZERO },
  elu: { flops: 3, alpha: 1, tolerance: NEAR_ZERO },
  hardSigmoid: { flops: 4, alpha: 0.2, beta: 0.5, tolerance: TWO_STEPS },
  hardSwish: { flops: 5, tolerance: { ulps: 4 } },
  swish: { flops: 5, alpha: 1, tolerance: { ulps: 40 } },
  abs: { flops: 1, types: SIGNED, tolerance: EXACT },
  sign: { flops: 1, types: SIGNED, tolerance: EXACT },
  ceil: { flops: 1, tolerance: EXACT },
  floor: { flops: 1, tolerance: EXACT },
  log: { flops: 1, tolerance: FAST, values: 'positive' },
  sin: { flops: 1, tolerance: FAST, values: { low: -3, high: 3 } },
  cos: { flops: 1, tolerance: FAST, values: { low: -3, high: 3 } },
  tan: { flops: 1, tolerance: FAST, values: { low: -1.2, high: 1.2 } },
  softsign: { flops: 3, tolerance: { ulps: 4 } },
  erf: { flops: 16, tolerance: { ulps: 4, absolute: 1e-6 } },
  logicalNot: { flops: 1, types: ['uint8'], tolerance: EXACT, values: 'mask' },
  roundEven: { flops: 1, tolerance: EXACT },
  isNaN: { flops: 1, output: 'uint8', tolerance: EXACT, values: 'special' },
  isInfinite: { flops: 1, output: 'uint8', tolerance: EXACT, values: 'special' },
  asin: { flops: 16, tolerance: NEAR_ZERO, values: { low: -1, high: 1 } },
  acos: { flops: 17, tolerance: NEAR_ZERO, values: { low: -1, high: 1 } },
  atan: { flops: 14, tolerance: NEAR_ZERO },
  sinh: { flops: 6, tolerance: POWERS },
  cosh: { flops: 6, tolerance: POWERS },
  asinh: { flops: 14, tolerance: NEAR_ZERO },
  acosh: { flops: 16, tolerance: NEAR_ZERO, values: { low: 1, high: 6 } },
  atanh: { flops: 15, tolerance: NEAR_ZERO, values: { low: -1, high: 1 } },
  bitwiseNot: { flops: 1, types: [...INTEGERS, 'int64'], tolerance: EXACT },
});

const compares: BinaryRow = { types: NUMBERS, output: 'uint8', tolerance: EXACT, values: ['few', 'few'] };
const decides: BinaryRow = { types: ['uint8'], output: 'uint8', tolerance: EXACT, values: ['mask', 'mask'] };
const bitwise: BinaryRow = { types: BITS, tolerance: EXACT };
const shift: BinaryRow = { types: UNSIGNED, tolerance: EXACT, values: ['random', { low: 0, high: 35 }] };

export const mathBinary = defineBinary(binaryParts, {
  pow: { types: FACTORS, integers: 'powInteger', tolerance: { ulps: 32 }, values: ['positive', { low: -3, high: 3 }] },
  mod: { types: NUMBERS, integers: 'modInteger', tolerance: { ulps: 1 } },
  fmod: { types: NUMBERS, integers: 'fmodInteger', tolerance: EXACT },
  prelu: { types: SIGNED_FACTORS, operands: ['input', 'slope'], tolerance: { ulps: 1 } },
  equal: compares,
  notEqual: compares,
  greater: compares,
  greaterOrEqual: compares,
  lesser: compares,
  lesserOrEqual: compares,
  logicalAnd: decides,
  logicalOr: decides,
  logicalXor: decides,
  bitwiseAnd: bitwise,
  bitwiseOr: bitwise,
  bitwiseXor: bitwise,
  shiftLeft: shift,
  shiftRight: { ...shift, types: [...UNSIGNED, 'uint64'] },
});

type Where = (condition: Operand, trueValue: Operand, falseValue: Operand, options?: Labelled) => Operand;

/** where: trueValue where condition is not 0, else falseValue; all three broadcast. */
export const where = defineOp<object, Where>({
  name: 'where',
  operands: { condition: { types: ['uint8'] }, trueValue: { types: NUMBERS }, falseValue: { as: 'trueValue' } },
  elementwise: true,
  tolerance: EXACT,
  values: (operand) => (operand === 'condition' ? 'mask' : undefined),
  infer({ condition, trueValue, falseValue }) {
    const values = broadcastShapes('where', trueValue!.shape, falseValue!.shape);
    return { dataType: trueValue!.dataType, shape: broadcastShapes('where', condition!.shape, values) };
  },
  candidates({ condition, trueValue, falseValue }, _options, { dataType, shape }) {
    return [
      {
        label: `where[${dataType}]`,
        variant: {
          kernel: whereKernel,
          ports: [grid, part(stored, dataType), part(result, dataType), strides],
          constants: { WG: u32(FLAT) },
        },
        params: stridedParams('where', shape, [condition!.shape, trueValue!.shape, falseValue!.shape]),
        grid: flatGrid(Math.ceil(elementCount(shape) / 4), FLAT),
      },
    ];
  },
});
