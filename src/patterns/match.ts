import { isConstant, type Operand, operand } from '../graph/ir.ts';
import type { NodeOf } from '../ops/define.ts';
import { fromHalf } from '../tensor/half.ts';
import { elementCount, isFloat, sameShape, type TensorData } from '../tensor/types.ts';

/** What a node is, as the op that computes the same; undefined where it is not that. `uses` counts those of an operand. */
export type Pattern = (node: Operand, uses: (input: Operand) => number) => Operand | undefined;

export const is = (node: Operand | undefined, op: string): node is NodeOf<object> => node?.op === op;

export const optionOf = <T>({ options }: Operand, name: string): T | undefined =>
  (options as Readonly<Record<string, T | undefined>>)[name];

/** A cast from float to float: others change numbers. */
const isFloatCast = (node: Operand): boolean =>
  is(node, 'cast') && isFloat(node.dataType) && isFloat(node.inputs['input']!.dataType);

/** The number of a constant of one element. */
export function numberOf(node: Operand): number | undefined {
  let leaf = node;
  while (is(leaf, 'reshape') || isFloatCast(leaf)) leaf = leaf.inputs['input']!;
  if (!isConstant(leaf) || elementCount(leaf.shape) !== 1) return undefined;
  return elementOf(leaf, 0);
}

/** An element of a constant; undefined where its numbers are in a file. */
export function elementOf(leaf: Operand, i: number): number | undefined {
  const value = optionOf<TensorData>(leaf, 'data')?.[i];
  return value === undefined ? undefined : leaf.dataType === 'float16' ? fromHalf(Number(value)) : Number(value);
}

/** The two sides of an op of two, in both orders. */
export const sides = ({ inputs: { a, b } }: Operand): readonly (readonly [Operand, Operand])[] => [
  [a!, b!],
  [b!, a!],
];

/** An operand without the numbers that it is multiplied with, and their product. */
export function unscaled(node: Operand): { input: Operand; factor: number } {
  let [input, factor] = [node, 1];
  for (;;) {
    const next = scaled(input);
    if (!next) return { input, factor };
    input = next.input;
    factor *= next.by;
  }
}

function scaled(node: Operand): { input: Operand; by: number } | undefined {
  const found = is(node, 'mul') ? sides(node) : is(node, 'div') ? sides(node).slice(0, 1) : [];
  for (const [input, other] of found) {
    const number = numberOf(other);
    if (number !== undefined && input.shape.length >= other.shape.length)
      return { input, by: is(node, 'div') ? 1 / number : number };
  }
  return undefined;
}

/** Whether two operands are the same numbers: exporters write the same node twice. */
export function same(a: Operand, b: Operand, depth = 6): boolean {
  if (a === b) return true;
  const names = Object.keys(a.inputs);
  if (!depth || a.op !== b.op || !names.length || names.length !== Object.keys(b.inputs).length) return false;
  if (a.results.length > 1 || JSON.stringify(a.options) !== JSON.stringify(b.options)) return false;
  return names.every((name) => b.inputs[name] && same(a.inputs[name]!, b.inputs[name]!, depth - 1));
}

/** An operand under another shape. */
export function shaped(node: Operand, newShape: readonly number[]): Operand {
  let input = node;
  while (!sameShape(input.shape, newShape) && is(input, 'reshape')) input = input.inputs['input']!;
  return sameShape(input.shape, newShape) ? input : operand('reshape', { input }, { newShape });
}
