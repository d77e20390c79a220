import binaryParts from '../../shaders/lib/binary_logic.wgsl';
import grid from '../../shaders/lib/grid.wgsl';
import result from '../../shaders/lib/result.wgsl';
import stored from '../../shaders/lib/stored.wgsl';
import strides from '../../shaders/lib/strides.wgsl';
import unaryParts from '../../shaders/lib/unary_logic.wgsl';
import whereKernel from '../../shaders/where.wgsl';
import { part, u32 } from '../gpu/wgsl.ts';
import { broadcastShapes, type DataType, elementCount } from '../tensor/types.ts';
import { defineOp, EXACT, FLAT, flatGrid, type Labelled, NUMBERS, type Operand } from './define.ts';
import { type BinaryRow, defineBinary, defineUnary, stridedParams } from './elementwise.ts';

const INTEGERS: readonly DataType[] = ['int32', 'uint32', 'int8', 'uint8'];
/** Of bits that 32 of a number of 64 decide: it is its lower half, extended. */
const BITS: readonly DataType[] = [...INTEGERS, 'int64', 'uint64'];
const UNSIGNED: readonly DataType[] = ['uint32', 'uint8'];

export const logicUnary = defineUnary(unaryParts, {
  logicalNot: { flops: 1, types: ['uint8'], tolerance: EXACT, values: 'mask' },
  isNaN: { flops: 1, output: 'uint8', tolerance: EXACT, values: 'special' },
  isInfinite: { flops: 1, output: 'uint8', tolerance: EXACT, values: 'special' },
  bitwiseNot: { flops: 1, types: [...INTEGERS, 'int64'], tolerance: EXACT },
});

const compares: BinaryRow = { types: NUMBERS, output: 'uint8', tolerance: EXACT, values: ['few', 'few'] };
const decides: BinaryRow = { types: ['uint8'], output: 'uint8', tolerance: EXACT, values: ['mask', 'mask'] };
const bitwise: BinaryRow = { types: BITS, tolerance: EXACT };
const shift: BinaryRow = { types: UNSIGNED, tolerance: EXACT, values: ['random', { low: 0, high: 35 }] };

export const logicBinary = defineBinary(binaryParts, {
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
