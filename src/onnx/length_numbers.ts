import type { Graph, Operand } from '../graph/ir.ts';
import { sameShape } from '../tensor/types.ts';
import type { LoweredNode, Lowerer } from './lowerer.ts';
import type { Tensor, Value } from './values.ts';

/** A graph as it was lowered, with its nodes in order. */
export interface Traced {
  readonly graph: Graph;
  readonly nodes: readonly LoweredNode[];
  readonly lowerer: Lowerer;
}

/** Constants that depend on the length of the cache, as the host computes them. */
export interface LengthNumbers {
  /** A tensor of the full cache for each constant. */
  readonly tensors: ReadonlyMap<Operand, Tensor>;
  /** The same tensors for another length. Error: what a lowering says. */
  at(past: number): ReadonlyMap<Tensor, Tensor> | undefined;
}

/** Undefined where a constant is of no tensor of the file, or where the host cannot compute it again. */
export function numbersOf(
  traces: readonly Traced[],
  lengths: readonly number[],
  late: ReadonlySet<Operand>,
): LengthNumbers | undefined {
  const [{ nodes, lowerer }, ...others] = traces as [Traced, ...Traced[]];
  if (
    others.some(
      (other) => other.nodes.length !== nodes.length || other.nodes.some(({ label }, i) => label !== nodes[i]!.label),
    )
  )
    return undefined;
  const owners = new Map<Operand, Tensor>();
  const makers = new Map<Value, number>();
  for (const [i, { outputs }] of nodes.entries())
    for (const value of outputs) {
      if (!value || makers.has(value)) continue;
      makers.set(value, i);
      if (value.kind === 'tensor' && value.known && value.operand && late.has(value.operand))
        owners.set(value.operand, value);
    }
  if (owners.size < late.size) return undefined;
  /** Whether a value of the host depends on the length. */
  const isLate = (value: Tensor): boolean => {
    const i = makers.get(value);
    const at = i === undefined ? -1 : nodes[i]!.outputs.indexOf(value);
    return i !== undefined && others.some(({ nodes }) => !sameNumbers(value, nodes[i]!.outputs[at]));
  };
  const steps = new Set<number>();
  const open: Value[] = [...owners.values()];
  for (let value = open.pop(); value; value = open.pop()) {
    const i = makers.get(value);
    if (i === undefined || steps.has(i)) continue;
    steps.add(i);
    for (const input of nodes[i]!.inputs)
      if (input?.kind === 'tensor' && input.known && isLate(input)) open.push(input);
  }
  /** A tensor of the device, of which only the shape matters. */
  const shapeOnly = (i: number, k: number, past: number): Value | undefined => {
    const [mine, other] = [nodes[i]!.inputs[k], others[0]!.nodes[i]!.inputs[k]];
    if (mine?.kind !== 'tensor' || other?.kind !== 'tensor') return undefined;
    const shape = mine.shape.map((size, d) => (size === other.shape[d] ? size : size - lengths[0]! + past));
    return { kind: 'tensor', type: mine.type, shape };
  };
  const order = [...steps].sort((a, b) => a - b);
  const at = (past: number): ReadonlyMap<Tensor, Tensor> | undefined => {
    const made = new Map<Value, Value>();
    for (const i of order) {
      const node = nodes[i]!;
      const inputs = node.inputs.map((input, k) =>
        !input || (input.kind === 'tensor' && input.known)
          ? input && (made.get(input) ?? input)
          : shapeOnly(i, k, past),
      );
      const outputs = lowerer.again(node, inputs);
      node.outputs.forEach((value, k) => {
        if (value && outputs[k]) made.set(value, outputs[k]);
      });
    }
    const found = new Map<Tensor, Tensor>();
    for (const tensor of owners.values()) {
      const now = made.get(tensor);
      if (now?.kind !== 'tensor' || !now.known) return undefined;
      found.set(tensor, now);
    }
    return found;
  };
  const isProved = others.every((other, k) => {
    const made = at(lengths[k + 1]!);
    return [...owners.values()].every((tensor) => {
      const i = makers.get(tensor)!;
      return made && sameNumbers(made.get(tensor)!, other.nodes[i]!.outputs[nodes[i]!.outputs.indexOf(tensor)]);
    });
  });
  return isProved ? { tensors: owners, at } : undefined;
}

const sameNumbers = (one: Tensor, other: Value | undefined): boolean =>
  other?.kind === 'tensor' &&
  other.known !== undefined &&
  sameShape(one.shape, other.shape) &&
  sameElements(one.known, other.known);

/** Whether two lists are the same, NaN and the sign of 0 too. */
export const sameElements = (one: ArrayLike<unknown> = [], other: ArrayLike<unknown> = []): boolean =>
  one === other || (one.length === other.length && Array.from(one).every((x, i) => Object.is(x, other[i])));
