import type { Conv2dOptions } from '../../ops/conv2d.ts';
import { opNamed } from '../../ops/index.ts';
import { elementCount, sameShape } from '../../tensor/types.ts';
import { type Graph, type Operand, operand, rewrite } from '../ir.ts';

const TO_NHWC = [0, 2, 3, 1];
const TO_NCHW = [0, 3, 1, 2];

interface Reduction {
  axes?: readonly number[];
  keepDimensions?: boolean;
}

/**
 * Convolutions and pools take nhwc (filters hwio): what comes as nchw is transposed before and after. Transposes
 * then wander down through whatever does not mind, and cancel: between two convolutions none is left.
 */
export function toChannelsLast(graph: Graph): Graph {
  return rewrite(graph, (node) => {
    if (node.op === 'conv2d') return convolution(node);
    if (node.op.endsWith('Pool2d')) return pool(node);
    if (node.op === 'transpose') return transposed(node.inputs['input']!, permutationOf(node), node.label);
    return sink(node);
  });
}

export const permutationOf = ({ inputs, options }: Operand): readonly number[] =>
  (options as { permutation?: readonly number[] }).permutation ??
  inputs['input']!.shape.map((_, d) => inputs['input']!.shape.length - 1 - d);

const inverse = (permutation: readonly number[]): number[] => permutation.map((_, d) => permutation.indexOf(d));

/** transpose, merged with the one before it; one that moves only axes of length 1 is a reshape. */
export function transposed(input: Operand, permutation: readonly number[], label = input.label): Operand {
  if (input.op === 'transpose') {
    const before = permutationOf(input);
    return transposed(
      input.inputs['input']!,
      permutation.map((d) => before[d]!),
      label,
    );
  }
  if (permutation.every((d, i) => d === i)) return input;
  const long = permutation.filter((d) => input.shape[d] !== 1);
  if (long.every((d, i) => i === 0 || d > long[i - 1]!)) {
    return operand('reshape', { input }, { newShape: permutation.map((d) => input.shape[d]!) }, label);
  }
  return operand('transpose', { input }, { permutation }, label);
}

/** Adds zeros: so many before and after each axis. */
const padded = (input: Operand, beginningPadding: readonly number[], endingPadding: readonly number[]): Operand =>
  operand('pad', { input }, { beginningPadding, endingPadding }, input.label);

function convolution(node: Operand): Operand {
  const { inputLayout = 'nchw', filterLayout = 'oihw', groups = 1, ...rest } = node.options as Conv2dOptions;
  const { input, filter, residual } = node.inputs as Record<string, Operand>;
  const swap = inputLayout === 'nchw';
  let image = swap ? transposed(input!, TO_NHWC) : input!;
  let weights = transposed(
    filter!,
    ['h', 'w', 'i', 'o'].map((axis) => filterLayout.indexOf(axis)),
    node.label,
  );
  const channels = image.shape[3]!;
  const missing = (4 - (channels % 4)) % 4;
  if (groups === 1 && channels > 1 && missing && weights.constant) {
    // Channels in whole vec4 keep a convolution on its fast path: a thin image is padded with empty ones. The copy takes the
    // border along, so that whole rows of the filter are taps.
    const [top, bottom, left, right] = rest.padding ?? [0, 0, 0, 0];
    image = padded(image, [0, top!, left!, 0], [0, bottom!, right!, missing]);
    weights = padded(weights, [0, 0, 0, 0], [0, 0, missing, 0]);
    delete rest.padding;
  }
  const inputs = {
    ...node.inputs,
    input: image,
    filter: weights,
    ...(residual && { residual: swap ? transposed(residual, TO_NHWC) : residual }),
  };
  const result = operand('conv2d', inputs, { ...rest, groups, inputLayout: 'nhwc', filterLayout: 'hwio' }, node.label);
  return swap ? transposed(result, TO_NCHW) : result;
}

function pool(node: Operand): Operand {
  const { layout = 'nchw', ...rest } = node.options as { layout?: string };
  if (layout === 'nhwc') return node;
  const result = operand(
    node.op,
    { input: transposed(node.inputs['input']!, TO_NHWC) },
    { ...rest, layout: 'nhwc' },
    node.label,
  );
  return transposed(result, TO_NCHW);
}

/** f(transpose(x)) becomes transpose(f(x)) where f does not mind. */
function sink(node: Operand): Operand {
  const entries = Object.entries(node.inputs);
  const first = entries.map(([, input]) => input).find(({ op }) => op === 'transpose');
  if (!first) return node;
  const permutation = permutationOf(first);
  if (opNamed(node.op).pointwise) {
    const back = inverse(permutation);
    const inner = entries.map(([name, input]): [string, Operand | undefined] => {
      if (input.op === 'transpose' && sameShape(permutationOf(input), permutation))
        return [name, input.inputs['input']];
      if (elementCount(input.shape) === 1) return [name, input];
      // Anything else would have to be transposed at every run; constants only once.
      if (input.shape.length !== permutation.length || !input.constant) return [name, undefined];
      return [name, transposed(input, back)];
    });
    if (inner.some(([, input]) => !input)) return node;
    return transposed(operand(node.op, Object.fromEntries(inner), node.options, node.label), permutation);
  }
  if (node.op === 'slice' || node.op === 'pad') {
    // Every list of these options has a number per axis.
    const back = inverse(permutation);
    const turned = Object.entries(node.options).map(([name, value]) => [
      name,
      Array.isArray(value) ? back.map((d) => value[d]) : value,
    ]);
    return transposed(
      operand(node.op, { input: first.inputs['input']! }, Object.fromEntries(turned), node.label),
      permutation,
    );
  }
  if (node.op.startsWith('reduce')) {
    const { axes = permutation.map((_, d) => d), keepDimensions = false } = node.options as Reduction;
    const reduced = axes.map((axis) => permutation[axis < 0 ? axis + permutation.length : axis]!);
    const kept = permutation.filter((d) => !reduced.includes(d));
    const sorted = [...reduced].sort((a, b) => a - b);
    // The kernel reduces neighbouring axes, and what is left must come out in the order it had.
    const adjacent = sorted.every((axis, i) => axis === sorted[0]! + i);
    if (!adjacent || !kept.every((d, i) => i === 0 || d > kept[i - 1]!)) return node;
    const options = { ...node.options, axes: sorted, keepDimensions: false };
    const result = operand(node.op, { input: first.inputs['input']! }, options, node.label);
    return keepDimensions ? operand('reshape', { input: result }, { newShape: node.shape }, node.label) : result;
  }
  return node;
}
