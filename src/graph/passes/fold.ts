import { batchNormalization, batchNormFactor } from '../../ops/batch_normalization.ts';
import type { WeightSpec } from '../../ops/define.ts';
import { binary, unary } from '../../ops/elementwise.ts';
import { reshape } from '../../ops/reshape.ts';
import { elementCount } from '../../tensor/types.ts';
import { type Graph, type Operand, operand, opOf, rewrite, rewriter } from '../ir.ts';

/** batchNormalization of a convolution becomes scaled filters and a bias, where the weights are constants. */
export function foldBatchNormalization(graph: Graph): Graph {
  return rewrite(graph, (node, uses) => {
    const { input } = node.inputs;
    return batchNormalization.is(node) && canFold(input, uses) ? normalised(node, input) : node;
  });
}

/** Whether a convolution of constant weights ends in its sums and a bias, for this user alone. */
export const canFold = (node: Operand | undefined, uses: (input: Operand) => number): node is Operand =>
  node !== undefined &&
  filterOf(node) !== undefined &&
  uses(node) === 1 &&
  !(node.options as Options).activation &&
  !node.inputs['residual'] &&
  [filterOf(node), node.inputs['bias']].every((weights) => !weights || weights.constant);

interface Options {
  readonly inputLayout?: string;
  readonly activation?: object;
}

const weightOf = (node: Operand): WeightSpec | undefined => opOf(node).weight?.(node.inputs, node.options);

/** The filter of a convolution: an op of images that has weights and an epilogue. */
function filterOf(node: Operand): Operand | undefined {
  const { epilogue, channelsLast } = opOf(node);
  const spec = epilogue && channelsLast && weightOf(node);
  return spec ? node.inputs[spec.operand] : undefined;
}

/** The axis of channels in the output of a convolution. */
export const channelAxis = ({ options }: Operand): number => ((options as Options).inputLayout === 'nhwc' ? 3 : 1);

/** The filter times a factor, [channels] or [1], by its name. */
export function scaledFilter(convolution: Operand, factor: Operand): Readonly<Record<string, Operand>> {
  const { operand: name, channels } = weightOf(convolution)!;
  const { add } = rewriter(convolution.label);
  const filter = convolution.inputs[name]!;
  const newShape = filter.shape.map((_, d) => (d === channels ? elementCount(factor.shape) : 1));
  const scaled = add(binary.mul.name, { a: filter, b: add(reshape.name, { input: factor }, { newShape }) });
  return { [name]: scaled };
}

function normalised(node: Operand, convolution: Operand): Operand {
  const { input: _, ...norm } = node.inputs;
  const { axis = 1, epsilon = 1e-5 } = node.options as { axis?: number; epsilon?: number };
  const { bias } = convolution.inputs;
  if (axis !== channelAxis(convolution) || Object.values(norm).some(({ constant }) => !constant)) return node;
  const { add } = rewriter(convolution.label);
  const factor = batchNormFactor(node.inputs, epsilon, rewriter(convolution.label));
  // (conv + bias - mean) * factor + shift
  const { mean, bias: shift } = norm;
  const centred = bias ? add(binary.sub.name, { a: bias, b: mean }) : add(unary.neg.name, { input: mean });
  const scaled = add(binary.mul.name, { a: centred, b: factor });
  const inputs = {
    ...convolution.inputs,
    ...scaledFilter(convolution, factor),
    bias: shift ? add(binary.add.name, { a: scaled, b: shift }) : scaled,
  };
  return operand(convolution.op, inputs, convolution.options, convolution.label);
}
