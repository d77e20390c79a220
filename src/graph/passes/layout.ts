import type { Rewriter } from '../../ops/define.ts';
import { transpose } from '../../ops/movement.ts';
import { reshape } from '../../ops/reshape.ts';
import { elementCount, sameShape } from '../../tensor/types.ts';
import { type Graph, type Operand, operand, opOf, type Replacement, results, rewrite, rewriter } from '../ir.ts';

interface Reduction {
  axes?: readonly number[];
  keepDimensions?: boolean;
}

/**
 * Ops with channels-last kernels become nhwc, between transposes. Transposes then move down through ops that commute
 * with them, and cancel: between two convolutions none is left.
 */
export function toChannelsLast(graph: Graph): Graph {
  return rewrite(graph, (node) => {
    if (transpose.is(node)) return transposed(node.inputs['input']!, permutationOf(node), node.label);
    return opOf(node).channelsLast?.(node.inputs, node.options, merging(node)) ?? sink(node);
  });
}

/** Adds ops in place of a node. A transpose merges with the one before it. */
function merging(node: Operand): Rewriter {
  const plain = rewriter(node.label);
  const inherited = rewriter(undefined);
  return {
    ...plain,
    add(op, inputs, options) {
      const input = inputs['input'];
      if (op === transpose.name && input)
        return transposed(
          input,
          (options as { permutation: readonly number[] }).permutation,
          input.constant ? node.label : undefined,
        );
      return (op === node.op ? plain : inherited).add(op, inputs, options);
    },
  };
}

export const permutationOf = ({ inputs, options }: Operand): readonly number[] =>
  (options as { permutation?: readonly number[] }).permutation ??
  inputs['input']!.shape.map((_, d) => inputs['input']!.shape.length - 1 - d);

const inverse = (permutation: readonly number[]): number[] => permutation.map((_, d) => permutation.indexOf(d));

/** A transpose, merged with the one before it. One that moves axes of length 1 only is a reshape. */
export function transposed(
  input: Operand,
  permutation: readonly number[],
  label: string | undefined = input.label,
): Operand {
  if (transpose.is(input)) {
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
    return operand(reshape.name, { input }, { newShape: permutation.map((d) => input.shape[d]!) }, label);
  }
  return operand(transpose.name, { input }, { permutation }, label);
}

/** f(transpose(x)) becomes transpose(f(x)), where a trait says that f commutes with transpose. */
function sink(node: Operand): Replacement {
  const { op, options, label } = node;
  const entries = Object.entries(node.inputs);
  const first = entries.map(([, input]) => input).find(transpose.is);
  if (!first) return node;
  const permutation = permutationOf(first);
  const back = inverse(permutation);
  const { elementwise, perAxis, alongAxis, reduces } = opOf(node);
  /**
   * The inputs without their transposes. A constant without one is transposed back, at load, and so is what a reshape
   * transposes. Undefined where an input is none of these.
   */
  const inner = (): Readonly<Record<string, Operand>> | undefined => {
    const found: Record<string, Operand> = {};
    for (const [name, input] of entries) {
      const same = transpose.is(input) && sameShape(permutationOf(input), permutation);
      if (same) found[name] = input.inputs['input']!;
      else if (elementwise && elementCount(input.shape) === 1) found[name] = input;
      else if (input.shape.length !== permutation.length) return undefined;
      else {
        // Another input would be transposed at every run, a constant only once, and what has one long axis never.
        const turned = transposed(input, back);
        if (transpose.is(turned) && !input.constant) return undefined;
        found[name] = turned;
      }
    }
    return found;
  };
  const turned = (own: object): Replacement => {
    const inputs = inner();
    if (!inputs) return node;
    const made = results(op, inputs, own, label).map((result) => transposed(result, permutation));
    return made.length > 1 ? made : made[0]!;
  };
  if (elementwise) return turned(options);
  if (perAxis)
    return turned({
      ...options,
      ...Object.fromEntries(
        Object.entries(options).flatMap(([name, value]) =>
          perAxis.includes(name) ? [[name, back.map((d) => value[d])]] : [],
        ),
      ),
    });
  if (alongAxis) {
    const { axis = 0 } = options as { axis?: number };
    return turned({ ...options, axis: permutation[axis < 0 ? axis + permutation.length : axis] });
  }
  if (reduces) {
    const { axes = permutation.map((_, d) => d), keepDimensions = false } = options as Reduction;
    const reduced = axes.map((axis) => permutation[axis < 0 ? axis + permutation.length : axis]!);
    const kept = permutation.filter((d) => !reduced.includes(d));
    const sorted = [...reduced].sort((a, b) => a - b);
    // The kernel reduces neighbouring axes. The axes that are left have to keep their order.
    const adjacent = sorted.every((axis, i) => axis === sorted[0]! + i);
    if (!adjacent || !kept.every((d, i) => i === 0 || d > kept[i - 1]!)) return node;
    const own = { ...options, axes: sorted, keepDimensions: false };
    const result = operand(op, { input: first.inputs['input']! }, own, label);
    return keepDimensions ? operand(reshape.name, { input: result }, { newShape: node.shape }, label) : result;
  }
  return node;
}
