import { batchNormalization, batchNormFactor } from '../../ops/batch_normalization.ts';
import { conv2d } from '../../ops/conv2d.ts';
import { binary, unary } from '../../ops/elementwise.ts';
import { reshape } from '../../ops/reshape.ts';
import { type Graph, operand, rewrite, rewriter } from '../ir.ts';

/** batchNormalization(conv2d) becomes a conv2d with scaled filters and a bias, where the weights are constants. */
export function foldBatchNormalization(graph: Graph): Graph {
  return rewrite(graph, (node, uses) => {
    const { input: convolution, ...norm } = node.inputs;
    if (!batchNormalization.is(node) || !convolution || !conv2d.is(convolution) || uses(convolution) > 1) return node;
    const { inputLayout = 'nchw', filterLayout = 'oihw', activation } = convolution.options;
    const { axis = 1, epsilon = 1e-5 } = node.options;
    const { filter, bias } = convolution.inputs;
    if (axis !== (inputLayout === 'nchw' ? 1 : 3) || activation || convolution.inputs['residual']) return node;
    if ([filter, bias, ...Object.values(norm)].some((weights) => weights && !weights.constant)) return node;
    const { add } = rewriter(convolution.label);
    const factor = batchNormFactor(node.inputs, epsilon, rewriter(convolution.label));
    const newShape = filter!.shape.map((size, d) => (filterLayout[d] === 'o' ? size : 1));
    const scaled = add(binary.mul.name, { a: filter, b: add(reshape.name, { input: factor }, { newShape }) });
    // (conv + bias - mean) * factor + shift
    const { mean, bias: shift } = norm;
    const centred = bias ? add(binary.sub.name, { a: bias, b: mean }) : add(unary.neg.name, { input: mean });
    const moved = add(binary.mul.name, { a: centred, b: factor });
    const inputs = {
      ...convolution.inputs,
      filter: scaled,
      bias: shift ? add(binary.add.name, { a: moved, b: shift }) : moved,
    };
    return operand(conv2d.name, inputs, convolution.options, convolution.label);
  });
}
