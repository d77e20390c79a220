import { elementCount, formatShape, sameShape } from '../tensor/types.ts';
import { AS_INPUT, defineOp, FLOATS, type Labelled, type Operand, opError } from './define.ts';
import type { ImageLayout } from './window.ts';

interface InstanceNormalizationOptions {
  epsilon?: number;
  layout?: ImageLayout;
}

type InstanceNormalization = (
  input: Operand,
  options?: { scale?: Operand; bias?: Operand } & InstanceNormalizationOptions & Labelled,
) => Operand;

/**
 * instanceNormalization: a layer normalisation of every channel of every image over its pixels, then scale and bias per
 * channel.
 */
export const instanceNormalization = defineOp<InstanceNormalizationOptions, InstanceNormalization>({
  name: 'instanceNormalization',
  operands: { input: { types: FLOATS, rank: [4, 4] }, scale: AS_INPUT, bias: AS_INPUT },
  options: ['epsilon', 'layout'],
  // It decomposes: results between the ops are rounded to the type in memory.
  tolerance: { ulps: 8, roundings: 5 },
  infer(inputs, { layout = 'nchw' }) {
    const input = inputs['input']!;
    const channels = input.shape[layout === 'nchw' ? 1 : 3]!;
    for (const name of ['scale', 'bias']) {
      const operand = inputs[name];
      if (operand && !sameShape(operand.shape, [channels])) {
        throw opError(
          'wrong-shape',
          'instanceNormalization',
          `${name} is ${formatShape(operand.shape)}, expected [${channels}]`,
        );
      }
    }
    return input;
  },
  decompose(inputs, { epsilon, layout = 'nchw' }, rewriter) {
    const axes = layout === 'nchw' ? [2, 3] : [1, 2];
    const spread = (operand: (typeof inputs)[string]) =>
      layout === 'nhwc'
        ? operand
        : rewriter.add('reshape', { input: operand }, { newShape: [elementCount(operand.shape), 1, 1] });
    let result = rewriter.add('layerNormalization', { input: inputs['input'] }, { axes, epsilon });
    if (inputs['scale']) result = rewriter.add('mul', { a: result, b: spread(inputs['scale']) });
    if (inputs['bias']) result = rewriter.add('add', { a: result, b: spread(inputs['bias']) });
    return result;
  },
});
