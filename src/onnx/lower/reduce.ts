import type { Operand } from '../../graph/ir.ts';
import type { Call } from '../call.ts';
import type { Lowering } from '../lowerer.ts';
import { isFloating, type Tensor } from '../values.ts';

const reduce =
  (op: string): Lowering =>
  (call) => {
    const input = call.tensor(0);
    const { axes, keep } = call.reduction(input);
    const operand = call.operand(0);
    if (!axes.length && !ELEMENTWISE.has(op)) return call.made(operand);
    const narrow = !isFloating(input.type) && operand.dataType.endsWith('8');
    const wide = narrow && !/M(ax|in)$/.test(op) ? call.cast(operand, 'int32') : operand;
    const options = { axes, keepDimensions: keep };
    const made = call.add(op, { input: wide }, options);
    if (OVERFLOWS.has(op))
      call.expectFits(input.type, made, () => call.add(op, { input: call.cast(operand, 'float32') }, options));
    return call.made(call.cast(made, operand.dataType));
  };

const OVERFLOWS = new Set([
  'reduceSum',
  'reduceProduct',
  'reduceL1',
  'reduceSumSquare',
  'cumulativeSum',
  'cumulativeProduct',
]);

/** Over no axis these still are functions of each element. */
const ELEMENTWISE = new Set(['reduceL1', 'reduceL2', 'reduceSumSquare', 'reduceLogSum', 'reduceLogSumExp']);

const argument =
  (op: string): Lowering =>
  (call) => {
    const { shape } = call.tensor(0);
    const axis = call.axis(call.int('axis', 0), shape.length);
    const last = call.flag('select_last_index');
    const options = {
      axis,
      keepDimensions: call.flag('keepdims', true),
      outputDataType: 'int32',
      ...(last && { selectLastIndex: true }),
    };
    return call.made(call.add(op, { input: call.operand(0) }, options), 'int64');
  };

function topK(call: Call): Tensor[] {
  const { shape, type } = call.tensor(0);
  const axis = call.axis(call.int('axis', -1), shape.length);
  const k = call.opset < 10 ? call.int('k') : Number(call.scalar(1));
  const options = { k, axis, largest: call.flag('largest', true), sorted: true };
  call.skip('sorted');
  const [values, indices] = call.several('topK', { input: call.operand(0) }, options) as [Operand, Operand];
  return [call.made(values, type), call.made(call.cast(indices, 'int32'), 'int64')];
}

const cumulative =
  (op: string): Lowering =>
  (call) => {
    const { shape } = call.tensor(0);
    const axis = call.axis(Number(call.scalar(1)), shape.length);
    const options = { axis, exclusive: call.flag('exclusive'), reversed: call.flag('reverse') };
    const input = call.operand(0);
    const made = call.add(op, { input }, options);
    call.expectFits(call.tensor(0).type, made, () => call.add(op, { input: call.cast(input, 'float32') }, options));
    return call.made(made);
  };

export const REDUCE: Readonly<Record<string, Lowering>> = {
  ReduceSum: reduce('reduceSum'),
  ReduceMean: reduce('reduceMean'),
  ReduceMax: reduce('reduceMax'),
  ReduceMin: reduce('reduceMin'),
  ReduceProd: reduce('reduceProduct'),
  ReduceL1: reduce('reduceL1'),
  ReduceL2: reduce('reduceL2'),
  ReduceSumSquare: reduce('reduceSumSquare'),
  ReduceLogSum: reduce('reduceLogSum'),
  ReduceLogSumExp: reduce('reduceLogSumExp'),
  ArgMax: argument('argMax'),
  ArgMin: argument('argMin'),
  TopK: topK,
  CumSum: cumulative('cumulativeSum'),
  CumProd: cumulative('cumulativeProduct'),
};
