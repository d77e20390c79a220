import type { Operand } from '../../graph/ir.ts';
import type { Call } from '../call.ts';
import type { Lowering } from '../lowerer.ts';
import type { Tensor } from '../values.ts';
import { div, logSoftmax, mul, where } from './math.ts';

/** -w[t] · log p[t] at each target t, of log probabilities [N, C, ..]; reduced over all where it is asked for. */
function loss(call: Call, scores: Operand): Tensor {
  const reduction = call.choice('reduction', 'mean', ['mean', 'sum', 'none']);
  const ignored = call.intOr('ignore_index');
  const classes = scores.shape[1]!;
  const along = scores.shape.map((_, d) => (d === 1 ? classes : 1));
  const targets = call.cast(call.operand(1), 'int32');
  const [n, ...rest] = targets.shape as [number, ...number[]];
  const spread = call.reshape(targets, [n, 1, ...rest]);
  const places = call.constant(
    'int32',
    along,
    call.list(classes, (i) => i),
  );
  const hit = call.add('equal', { a: places, b: spread });
  const given = call.optionalOperand(2);
  const weights = given ? call.reshape(given, along) : call.like(scores, 1);
  const own = where(call, hit, weights, 0);
  const skipped = ignored === undefined ? undefined : call.add('equal', { a: spread, b: call.like(spread, ignored) });
  const counted = skipped ? where(call, skipped, call.like(scores, 0), own) : own;
  const picked = where(call, hit, scores, 0);
  const sum = (input: Operand): Operand => call.add('reduceSum', { input }, { axes: [1], keepDimensions: false });
  const weight = sum(counted);
  const each = call.add('neg', { input: mul(call, sum(picked), weight) });
  if (reduction === 'none') return call.made(each);
  const total = call.add('reduceSum', { input: each }, { keepDimensions: false });
  if (reduction === 'sum') return call.made(total);
  return call.made(div(call, total, call.add('reduceSum', { input: weight }, { keepDimensions: false })));
}

export const LOSS: Readonly<Record<string, Lowering>> = {
  NegativeLogLikelihoodLoss: (call) => loss(call, call.operand(0)),
  SoftmaxCrossEntropyLoss: (call) => {
    const scores = logSoftmax(call, call.operand(0), 1);
    return [loss(call, scores), call.made(scores)];
  },
};
