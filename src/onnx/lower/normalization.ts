import type { Operand } from '../../graph/ir.ts';
import { elementCount } from '../../tensor/types.ts';
import type { Call } from '../call.ts';
import type { Lowering } from '../lowerer.ts';
import type { Tensor } from '../values.ts';
import { add, div, mul, sub } from './math.ts';

function instanceNormalization(call: Call): Tensor {
  const { shape } = call.tensor(0);
  const epsilon = call.float('epsilon', 1e-5);
  const [n, c] = shape as [number, number];
  const image = call.reshape(call.operand(0), [n, c, 1, elementCount(shape.slice(2))]);
  const made = call.add(
    'instanceNormalization',
    { input: image, scale: call.operand(1), bias: call.operand(2) },
    { epsilon },
  );
  return call.made(call.reshape(made, shape));
}

function layerNormalization(call: Call): Tensor[] {
  const { shape } = call.tensor(0);
  const axis = call.axis(call.int('axis', -1), shape.length);
  const epsilon = call.float('epsilon', 1e-5);
  call.skip('stash_type');
  const axes = shape.map((_, d) => d).slice(axis);
  const input = call.operand(0);
  const lines = shape.slice(axis);
  const whole = (operand: Operand | undefined): Operand | undefined =>
    operand && elementCount(operand.shape) !== elementCount(lines)
      ? call.add('expand', { input: operand }, { newShape: lines })
      : operand && call.reshape(operand, lines);
  const [scale, bias] = [whole(call.optionalOperand(1)), whole(call.optionalOperand(2))];
  const made = call.made(call.add('layerNormalization', { input, scale, bias }, { axes, epsilon }));
  if (call.node.outputs.length < 2) return [made];
  const mean = call.add('reduceMean', { input }, { axes, keepDimensions: true });
  const centred = sub(call, input, mean);
  const variance = call.add('reduceMean', { input: mul(call, centred, centred) }, { axes, keepDimensions: true });
  const inverse = call.add('reciprocal', { input: call.add('sqrt', { input: add(call, variance, epsilon) }) });
  return [made, call.made(mean, 'float'), call.made(inverse, 'float')];
}

function groupNormalization(call: Call): Tensor {
  const { shape } = call.tensor(0);
  const groups = call.int('num_groups');
  const epsilon = call.float('epsilon', 1e-5);
  call.skip('stash_type');
  const [n, c] = shape as [number, number];
  const lines = call.reshape(call.operand(0), [n * groups, elementCount(shape.slice(1)) / groups]);
  const normal = call.reshape(call.add('layerNormalization', { input: lines }, { axes: [1], epsilon }), [
    n,
    groups,
    c / groups,
    elementCount(shape.slice(2)),
  ]);
  // Until opset 21 a group has one scale, from then on each channel.
  const each = (i: number): Operand => {
    const given = call.operand(i);
    return call.reshape(given, given.shape[0] === c ? [1, groups, c / groups, 1] : [1, groups, 1, 1]);
  };
  return call.made(call.reshape(add(call, mul(call, normal, each(1)), each(2)), shape));
}

export const rmsNormalize = (
  call: Call,
  input: Operand,
  axes: readonly number[],
  epsilon: number,
  scale: Operand | undefined,
): Operand => call.add('rmsNormalization', { input, scale }, { axes, epsilon });

function rmsNormalization(call: Call): Tensor {
  const { shape } = call.tensor(0);
  const axis = call.axis(call.int('axis', -1), shape.length);
  call.skip('stash_type');
  const axes = shape.map((_, d) => d).slice(axis);
  const normal = rmsNormalize(call, call.operand(0), axes, call.float('epsilon', 1e-5), undefined);
  return call.made(mul(call, normal, call.operand(1)));
}

/** x / (bias + alpha / size · Σ x²)^beta over `size` channels around each. */
function lrn(call: Call): Tensor {
  const { shape } = call.tensor(0);
  const size = call.int('size');
  const [alpha, beta, bias] = [call.float('alpha', 1e-4), call.float('beta', 0.75), call.float('bias', 1)];
  const input = call.operand(0);
  const [n, c] = shape as [number, number];
  const squares = call.reshape(mul(call, input, input), [n, 1, c, elementCount(shape.slice(2))]);
  const before = (size - 1) >> 1;
  const padded = call.add(
    'pad',
    { input: squares },
    { beginningPadding: [0, 0, before, 0], endingPadding: [0, 0, size - 1 - before, 0] },
  );
  const means = call.add('averagePool2d', { input: padded }, { windowDimensions: [size, 1] });
  const scale = add(call, mul(call, call.reshape(means, shape), alpha), bias);
  return call.made(div(call, input, call.add('pow', { a: scale, b: call.like(scale, beta) })));
}

/** x / ‖x‖ along an axis. */
function lpNormalization(call: Call): Tensor {
  const { shape } = call.tensor(0);
  const p = call.int('p', 2);
  const axis = call.axis(call.int('axis', -1), shape.length);
  const input = call.operand(0);
  if (p !== 1 && p !== 2) call.unsupported(`p is ${p}, expected 1 or 2`);
  const norm = call.add(p === 1 ? 'reduceL1' : 'reduceL2', { input }, { axes: [axis], keepDimensions: true });
  // A line of zeros stays one.
  const zero = call.add('equal', { a: norm, b: call.like(norm, 0) });
  const safe = call.add('where', { condition: zero, trueValue: call.like(norm, 1), falseValue: norm });
  return call.made(div(call, input, safe));
}

function meanVarianceNormalization(call: Call): Tensor {
  const input = call.operand(0);
  const axes = call.ints('axes', [0, 2, 3]).map((axis) => call.axis(axis, input.shape.length));
  const mean = call.add('reduceMean', { input }, { axes, keepDimensions: true });
  const centred = call.add('sub', { a: input, b: mean });
  const variance = call.add('reduceMean', { input: mul(call, centred, centred) }, { axes, keepDimensions: true });
  const deviation = call.add('sqrt', { input: variance });
  return call.made(div(call, centred, call.add('add', { a: deviation, b: call.like(deviation, 1e-9) })));
}

export const NORMALIZATION: Readonly<Record<string, Lowering>> = {
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNormalization,
  GroupNormalization: groupNormalization,
  RMSNormalization: rmsNormalization,
  SimplifiedLayerNormalization: rmsNormalization,
  LRN: lrn,
  LpNormalization: lpNormalization,
  MeanVarianceNormalization: meanVarianceNormalization,
};
