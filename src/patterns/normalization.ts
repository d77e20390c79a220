import { type Operand, operand } from '../graph/ir.ts';
import { sameShape } from '../tensor/types.ts';
import { is, numberOf, optionOf, type Pattern, same, shaped, sides } from './match.ts';

/** x of x² or x · x. */
function rootOfSquare(node: Operand): Operand | undefined {
  const { a, b } = node.inputs;
  if (is(node, 'mul')) return same(a!, b!) ? a : undefined;
  return is(node, 'pow') && numberOf(b!) === 2 ? a : undefined;
}

/** The operand and the axes of a mean along the last axes, which stay with length 1. */
function meanOf(node: Operand): { input: Operand; axes: readonly number[] } | undefined {
  const { input } = node.inputs;
  if (!is(node, 'reduceMean') || !optionOf<boolean>(node, 'keepDimensions')) return undefined;
  const rank = input!.shape.length;
  const given = optionOf<readonly number[]>(node, 'axes') ?? input!.shape.map((_, d) => d);
  const axes = given.map((axis) => (axis < 0 ? axis + rank : axis)).sort((p, q) => p - q);
  return axes.length && axes.every((axis, i) => axis === rank - axes.length + i) ? { input: input!, axes } : undefined;
}

/** x of √x. */
function underRoot(node: Operand): Operand | undefined {
  const { input, a, b } = node.inputs;
  return is(node, 'sqrt') ? input : is(node, 'pow') && numberOf(b!) === 0.5 ? a : undefined;
}

/** x of 1 / √x. */
function underInverseRoot(node: Operand): Operand | undefined {
  const { input, a, b } = node.inputs;
  if (is(node, 'reciprocal')) return underRoot(input!);
  if (is(node, 'div')) return numberOf(a!) === 1 ? underRoot(b!) : undefined;
  return is(node, 'pow') && numberOf(b!) === -0.5 ? a : undefined;
}

/** d and s of d / √s. */
function quotients(node: Operand): (readonly [Operand, Operand])[] {
  const { a, b } = node.inputs;
  if (is(node, 'div')) {
    const under = underRoot(b!);
    return under ? [[a!, under]] : [];
  }
  if (!is(node, 'mul')) return [];
  return sides(node).flatMap(([d, other]) => {
    const under = underInverseRoot(other);
    return under ? [[d, under] as const] : [];
  });
}

/** (x - mean(x)) / √(mean((x - mean(x))²) + epsilon), and the same without means: rmsNormalization. */
export const normalized: Pattern = (node) => {
  for (const [d, under] of quotients(node)) {
    if (!is(under, 'add')) continue;
    for (const [spread, number] of sides(under)) {
      const epsilon = numberOf(number);
      const mean = meanOf(spread);
      const root = mean && rootOfSquare(mean.input);
      if (epsilon === undefined || !root || !same(root, d)) continue;
      const { axes } = mean;
      if (is(d, 'sub')) {
        const { a: x, b } = d.inputs;
        const own = meanOf(b!);
        if (own && same(own.input, x!) && sameShape(own.axes, axes))
          return operand('layerNormalization', { input: x! }, { axes, epsilon }, node.label);
      }
      return operand('rmsNormalization', { input: d }, { axes, epsilon }, node.label);
    }
  }
  return undefined;
};

const NORMALIZATIONS = ['layerNormalization', 'rmsNormalization'];

/** The scale, and then the bias, after a normalisation that has none. */
export const learned: Pattern = (node, uses) => {
  const [name, names] = is(node, 'mul') ? ['scale', NORMALIZATIONS] : ['bias', NORMALIZATIONS.slice(0, 1)];
  if (!is(node, 'mul') && !is(node, 'add')) return undefined;
  for (const [normal, other] of sides(node)) {
    const { op, inputs, options, shape, label } = normal;
    if (!names!.includes(op) || inputs['bias'] || (name === 'scale' && inputs['scale']) || uses(normal) > 1) continue;
    const axes = optionOf<readonly number[]>(normal, 'axes')!;
    const rank = shape.length;
    // Its last axes are those of the lines, all before them have length 1.
    if (!axes.every((axis, i) => axis === rank - axes.length + i)) continue;
    const line = shape.slice(rank - axes.length);
    const whole = [...Array.from({ length: rank - axes.length }, () => 1), ...line];
    const trimmed = whole.slice(Math.max(0, rank - other.shape.length));
    if (other.shape.length < line.length || other.shape.length > rank || !sameShape(other.shape, trimmed)) continue;
    if (other.dataType !== normal.dataType) continue;
    return operand(op, { ...inputs, [name as string]: shaped(other, line) }, options, node.label ?? label);
  }
  return undefined;
};
