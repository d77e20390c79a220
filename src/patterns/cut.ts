import type { Operand } from '../graph/ir.ts';
import { elementCount } from '../tensor/types.ts';
import { elementOf, is, optionOf } from './match.ts';

/** Elements of one axis of an operand: `count` of them, every `step`-th from `start` on. */
export interface Cut {
  readonly input: Operand;
  readonly axis: number;
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** Whether an operand broadcasts to a shape, which stays as it is. */
export const broadcasts = ({ shape }: Operand, to: readonly number[]): boolean =>
  shape.length <= to.length && shape.every((size, d) => size === 1 || size === to[to.length - shape.length + d]);

/** What an operand is cut from: by `slice` along one axis, by `split`, or by `gather` at one place, whose axis is gone. */
export function cutOf(node: Operand): Cut | undefined {
  const { input } = node.inputs;
  if (is(node, 'split')) {
    const axis = axisOf(node, input!);
    const before = node.results.slice(0, node.results.indexOf(node));
    const start = before.reduce((sum, { shape }) => sum + shape[axis]!, 0);
    return { input: input!, axis, start, step: 1, count: node.shape[axis]! };
  }
  if (is(node, 'gather') && !node.inputs['scales']) {
    const { indices } = node.inputs;
    const [axis, at] = [axisOf(node, input!), elementOf(indices!, 0)];
    const size = input!.shape[axis]!;
    if (at === undefined || elementCount(indices!.shape) !== 1 || at < -size || at >= size) return undefined;
    return { input: input!, axis, start: at < 0 ? at + size : at, step: 1, count: 1 };
  }
  if (!is(node, 'slice')) return undefined;
  const axes = node.shape.flatMap((size, d) => (size === input!.shape[d] ? [] : [d]));
  if (axes.length !== 1) return undefined;
  const [axis] = axes as [number];
  const start = optionOf<readonly number[]>(node, 'starts')![axis]!;
  const step = optionOf<readonly number[]>(node, 'strides')?.[axis] ?? 1;
  return { input: input!, axis, start, step, count: node.shape[axis]! };
}

const axisOf = (node: Operand, { shape }: Operand): number => {
  const axis = optionOf<number>(node, 'axis') ?? 0;
  return axis < 0 ? axis + shape.length : axis;
};
