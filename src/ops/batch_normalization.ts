import { formatShape, sameShape } from '../tensor/types.ts';
import { AS_INPUT, defineOp, FLOAT, type Labelled, needAxis, type Operand, opError, type Rewriter } from './define.ts';

export interface BatchNormalizationOptions {
  axis?: number;
  epsilon?: number;
}

/** scale / sqrt(variance + epsilon): the factor of each channel. */
export function batchNormFactor(
  inputs: Readonly<Record<string, Operand>>,
  epsilon: number,
  rewriter: Rewriter,
): Operand {
  const { variance, scale } = inputs;
  const deviation = rewriter.add('sqrt', {
    input: rewriter.add('linear', { input: variance }, { alpha: 1, beta: epsilon }),
  });
  return scale ? rewriter.add('div', { a: scale, b: deviation }) : rewriter.add('reciprocal', { input: deviation });
}

type BatchNormalization = (
  input: Operand,
  mean: Operand,
  variance: Operand,
  options?: { scale?: Operand; bias?: Operand } & BatchNormalizationOptions & Labelled,
) => Operand;

/**
 * batchNormalization: (x - mean) / sqrt(variance + epsilon) * scale + bias, per channel of `axis`. A pass folds it into
 * a convolution before it.
 */
export const batchNormalization = defineOp<BatchNormalizationOptions, BatchNormalization>({
  name: 'batchNormalization',
  operands: { input: FLOAT, mean: { as: 'input' }, variance: { as: 'input' }, scale: AS_INPUT, bias: AS_INPUT },
  options: ['axis', 'epsilon'],
  // It decomposes: results between the ops are rounded to the type in memory.
  tolerance: { ulps: 8, roundings: 5 },
  values: (name) => (name === 'variance' ? 'positive' : undefined),
  infer(inputs, { axis = 1 }) {
    const input = inputs['input']!;
    const channels = input.shape[needAxis('batchNormalization', axis, input.shape.length)]!;
    for (const name of ['mean', 'variance', 'scale', 'bias']) {
      const operand = inputs[name];
      if (operand && !sameShape(operand.shape, [channels])) {
        throw opError(
          'wrong-shape',
          'batchNormalization',
          `${name} is ${formatShape(operand.shape)}, expected [${channels}]`,
        );
      }
    }
    return input;
  },
  decompose(inputs, { axis = 1, epsilon = 1e-5 }, rewriter) {
    const input = inputs['input']!;
    const rank = input.shape.length;
    const at = needAxis('batchNormalization', axis, rank);
    const newShape = input.shape.map((size, d) => (d === at ? size : 1));
    const spread = (operand: typeof input) =>
      at === rank - 1 ? operand : rewriter.add('reshape', { input: operand }, { newShape });
    // factor * (x - mean): factor * x - factor * mean would lose the digits that the two have in common.
    const centred = rewriter.add('sub', { a: input, b: spread(inputs['mean']!) });
    const scaled = rewriter.add('mul', { a: centred, b: spread(batchNormFactor(inputs, epsilon, rewriter)) });
    return inputs['bias'] ? rewriter.add('add', { a: scaled, b: spread(inputs['bias']) }) : scaled;
  },
});
