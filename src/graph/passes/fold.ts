import { batchNormalization, batchNormFactor } from '../../ops/batch_normalization.ts';
import type { WeightSpec } from '../../ops/define.ts';
import { binary, unary } from '../../ops/elementwise.ts';
import { expand } from '../../ops/movement.ts';
import { reshape } from '../../ops/reshape.ts';
import { elementCount } from '../../tensor/types.ts';
import { type Graph, type Operand, operand, opOf, rewrite, rewriter } from '../ir.ts';

/**
 * batchNormalization of a convolution, and a convolution times or plus a constant that is one number or one a channel,
 * become a convolution with scaled filters and a bias, where the weights are constants.
 */
export function foldIntoConvolutions(graph: Graph): Graph {
  return rewrite(graph, (node, uses) => {
    const open = (input: Operand | undefined): input is Operand =>
      input !== undefined &&
      filterOf(input) !== undefined &&
      uses(input) === 1 &&
      !(input.options as Options).activation &&
      !input.inputs['residual'] &&
      [filterOf(input), input.inputs['bias']].every((weights) => !weights || weights.constant);
    if (batchNormalization.is(node)) return open(node.inputs['input']) ? normalised(node, node.inputs['input']) : node;
    const { a, b } = node.inputs;
    if (open(a) && b) return moved(node, a, b) ?? node;
    const commutes = binary.mul.is(node) || binary.add.is(node);
    return (commutes && open(b) && a && moved(node, b, a)) || node;
  });
}

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
const channelAxis = ({ options }: Operand): number => ((options as Options).inputLayout === 'nhwc' ? 3 : 1);

/** The filter times a factor, [channels] or [1], by its name. */
function scaledFilter(convolution: Operand, factor: Operand): Readonly<Record<string, Operand>> {
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

/** The convolution times, over, plus or minus a constant. Undefined for another node, and another constant. */
function moved(node: Operand, convolution: Operand, other: Operand): Operand | undefined {
  const channels = convolution.shape[channelAxis(convolution)]!;
  const count = elementCount(other.shape);
  const along = other.shape.at(channelAxis(convolution) - convolution.shape.length);
  const fits = count === 1 || (count === channels && along === channels);
  if (!fits || !other.constant || other.shape.length > convolution.shape.length) return undefined;
  const { add } = rewriter(convolution.label);
  const { bias } = convolution.inputs;
  const value = add(reshape.name, { input: other }, { newShape: [count] });
  const made = (inputs: Readonly<Record<string, Operand | undefined>>): Operand =>
    operand(convolution.op, { ...convolution.inputs, ...inputs }, convolution.options, convolution.label);
  if (binary.mul.is(node) || binary.div.is(node)) {
    const factor = binary.mul.is(node) ? value : add(unary.reciprocal.name, { input: value });
    return made({
      ...scaledFilter(convolution, factor),
      bias: bias && add(binary.mul.name, { a: bias, b: factor }),
    });
  }
  if (!binary.add.is(node) && !binary.sub.is(node)) return undefined;
  const term = binary.add.is(node) ? value : add(unary.neg.name, { input: value });
  if (bias) return made({ bias: add(binary.add.name, { a: bias, b: term }) });
  return made({ bias: count === channels ? term : add(expand.name, { input: term }, { newShape: [channels] }) });
}
