import { type Operand, operand } from '../graph/ir.ts';
import { permutationOf } from '../graph/passes/layout.ts';
import { elementCount, sameShape } from '../tensor/types.ts';
import { broadcasts, cutOf } from './cut.ts';
import { is, optionOf, type Pattern, same, shaped, sides, unscaled } from './match.ts';

/*
 * Positions as angles: pairs (x, y) of the elements of each head become (x cos - y sin, y cos + x sin). Written as a sum,
 * heads · cos + (heads with each pair as (-y, x)) · sin, or as the two elements of each pair, joined. The pairs are the
 * two halves of a head, or its neighbours.
 */

/** Heads [.., D] whose first elements, twice as many as `half`, are turned. cos and sin: [.., half], or as many as elements. */
interface Turned {
  readonly heads: Operand;
  readonly cos: Operand;
  readonly sin: Operand;
  readonly half: number;
  readonly interleaved: boolean;
}

/** The rotations of positions. */
export function placed(): Pattern {
  const known = new Map<Operand, Turned>();
  return (node) => {
    if (node.constant || !node.shape.at(-1)) return undefined;
    const turned =
      is(node, 'add') || is(node, 'sub')
        ? asSum(node)
        : is(node, 'concat')
          ? (beside(node, known) ?? asPairs(node))
          : is(node, 'reshape')
            ? asPairs(node)
            : undefined;
    const made = turned && rotation(turned, node.label);
    if (!made) return undefined;
    const result = shaped(made, node.shape);
    known.set(result, turned);
    return result;
  };
}

/** heads · cos + (-y, x) · sin. */
function asSum(node: Operand): Turned | undefined {
  const both = is(node, 'add') ? sides(node) : sides(node).slice(0, 1);
  for (const [plain, crossed] of both) {
    if (!is(plain, 'mul') || !is(crossed, 'mul')) continue;
    for (const [other, sin] of sides(crossed)) {
      const pairs = joinedOf(other);
      if (!pairs) continue;
      const { half, interleaved } = pairs;
      const [first, second] = [signed(pairs.first), signed(pairs.second)];
      if (first.negative === second.negative || first.negative !== is(node, 'add')) continue;
      const heads = pairsOf(second.input, first.input, other.shape, interleaved);
      if (!heads || !sameShape(heads.shape, node.shape)) continue;
      for (const [x, cos] of sides(plain)) if (same(x, heads)) return { heads, cos, sin, half, interleaved };
    }
  }
  return undefined;
}

/** x cos - y sin, and y cos + x sin, joined. */
function asPairs(node: Operand): Turned | undefined {
  const pairs = joinedOf(node);
  if (!pairs) return undefined;
  const { half, interleaved } = pairs;
  const [real, imaginary] = [unshaped(pairs.first), unshaped(pairs.second)];
  if (!is(real, 'sub') || !is(imaginary, 'add') || real.shape.at(-1) !== half) return undefined;
  const shape = [...real.shape.slice(0, -1), 2 * half];
  const isTimes = (product: Operand, p: Operand, q: Operand): boolean =>
    is(product, 'mul') && sides(product).some(([a, b]) => same(a, p) && same(b, q));
  const { a, b } = real.inputs;
  if (!is(a, 'mul') || !is(b, 'mul')) return undefined;
  for (const [x, cos] of sides(a))
    for (const [y, sin] of sides(b)) {
      const heads = pairsOf(x, y, shape, interleaved);
      if (heads && sides(imaginary).some(([p, q]) => isTimes(p, y, cos) && isTimes(q, x, sin)))
        return { heads, cos, sin, half, interleaved };
    }
  return undefined;
}

/** The first elements of heads, turned, beside those that stay. */
function beside(node: Operand, known: ReadonlyMap<Operand, Turned>): Turned | undefined {
  const { input0, input1, input2 } = node.inputs;
  const turned = known.get(input0!);
  if (!turned || input2 || !isLast(node)) return undefined;
  const [own, rest] = [cutOf(turned.heads), cutOf(input1!)];
  const size = 2 * turned.half;
  const heads = own?.input;
  if (!heads || !rest || !sameShape(heads.shape, node.shape) || !same(heads, rest.input)) return undefined;
  const isCut = [own, rest].every(({ axis, step }) => axis === node.shape.length - 1 && step === 1);
  return isCut && own.start === 0 && rest.start === size && own.count === size ? { ...turned, heads } : undefined;
}

const unshaped = (node: Operand): Operand => (is(node, 'reshape') ? unshaped(node.inputs['input']!) : node);

/** Whether a node joins along the last axis. */
const isLast = (node: Operand): boolean => {
  const axis = optionOf<number>(node, 'axis')!;
  return axis === -1 || axis === node.shape.length - 1;
};

/** An operand without its sign. */
function signed(node: Operand): { input: Operand; negative: boolean } {
  const inner = unshaped(node);
  if (is(inner, 'neg')) return { input: inner.inputs['input']!, negative: true };
  const { input, factor } = unscaled(inner);
  return factor === -1 ? { input, negative: true } : { input: inner, negative: false };
}

/** What an operand [.., 2 · half] is joined of: the first and the second elements of all pairs. */
function joinedOf(node: Operand): { first: Operand; second: Operand; half: number; interleaved: boolean } | undefined {
  const joined = unshaped(node);
  if (!is(joined, 'concat')) return undefined;
  const { input0: first, input1: second, input2 } = joined.inputs as Record<string, Operand>;
  const half = node.shape.at(-1)! / 2;
  if (!second || input2 || !sameShape(first!.shape, second.shape)) return undefined;
  const interleaved = layoutOf(
    joined.shape,
    isLast(joined) ? -1 : optionOf<number>(joined, 'axis')! - joined.shape.length,
    half,
  );
  return interleaved === undefined ? undefined : { first: first!, second, half, interleaved };
}

/** How pairs lie where an axis, counted from the end, has their two elements: [.., 2 · half], [.., 2, half] or [.., half, 2]. */
function layoutOf(shape: readonly number[], axis: number, half: number): boolean | undefined {
  if (axis === -1 && shape.at(-1) === 2 * half) return false;
  if (axis === -2 && shape.at(-2) === 2 && shape.at(-1) === half) return false;
  return axis === -1 && shape.at(-1) === 2 && shape.at(-2) === half ? true : undefined;
}

/** The heads of `shape` whose pairs are of these two. */
function pairsOf(x: Operand, y: Operand, shape: readonly number[], interleaved: boolean): Operand | undefined {
  const [first, second] = [x, y].map((one, i) => halfOf(one, i, shape, interleaved));
  return first && second && same(first, second) ? first : undefined;
}

/** The heads of `shape` of which an operand has the first elements of all pairs (`which` is 0), or the second ones. */
function halfOf(node: Operand, which: number, shape: readonly number[], interleaved: boolean): Operand | undefined {
  const cut = cutOf(unshaped(node));
  if (!cut) return undefined;
  const { input, axis, start, step, count } = cut;
  const half = shape.at(-1)! / 2;
  const fromEnd = axis - input.shape.length;
  const isStrided = interleaved && fromEnd === -1 && input.shape.at(-1) === 2 * half && step === 2;
  const isHalf = isStrided
    ? start === which && count === half
    : layoutOf(input.shape, fromEnd, half) === interleaved &&
      step === 1 &&
      start === which * count &&
      2 * count === input.shape.at(fromEnd);
  return isHalf && elementCount(input.shape) === elementCount(shape) ? shaped(input, shape) : undefined;
}

/** The op. Undefined where cosines and sines are not of tokens, alike for all heads. */
function rotation({ heads, cos, sin, half, interleaved }: Turned, label: string | undefined): Operand | undefined {
  const width = heads.shape.at(-1)!;
  const angles = cos.shape.at(-1)!;
  const [places, others] = [cos, sin].map((one) => placesOf(one, heads.shape));
  if (!places || !others || !sameShape(places, others) || (angles !== half && angles !== 2 * half)) return undefined;
  const lines = linesOf(heads.shape, places);
  if (!lines) return undefined;
  const { batch, count, apart } = lines;
  // Rows that were taken apart are turned before: attention reads them as rows.
  const whole = [batch, lines.heads, count, width];
  const isTurned = is(heads, 'transpose') && sameShape(permutationOf(heads), [0, 2, 1, 3]);
  const before = apart && isTurned && sameShape(heads.shape, whole) ? heads.inputs['input'] : undefined;
  const asRows = !apart || before;
  const input = shaped(before ?? heads, asRows ? [batch, count, lines.heads * width] : whole);
  const [c, s] = [cos, sin].map((one) => shaped(one, [places[0]!, count, angles]));
  const options = {
    ...(asRows && { heads: lines.heads }),
    ...(interleaved && { interleaved }),
    ...(2 * half < width && { rotaryEmbeddingDim: 2 * half }),
  };
  const made = operand('rotaryEmbedding', { input, cos: c!, sin: s! }, options, label);
  if (!before) return made;
  return operand('transpose', { input: shaped(made, before.shape) }, { permutation: [0, 2, 1, 3] }, label);
}

/** The axes of heads but the last: three at the least, the first that of a batch. */
const leadOf = (shape: readonly number[], rank: number): number[] => [
  ...Array.from({ length: Math.max(rank, 4) - shape.length }, () => 1),
  ...shape.slice(0, -1),
];

/** The lengths of cosines along the axes of heads but the last; undefined where they do not broadcast to them. */
function placesOf(node: Operand, heads: readonly number[]): readonly number[] | undefined {
  const isSpread = broadcasts(node, heads.with(-1, node.shape.at(-1)!));
  return isSpread ? leadOf(node.shape, heads.length) : undefined;
}

/** Heads as [batch, heads, count, D], or as [batch, count, heads, D] where they are not `apart`. */
function linesOf(
  shape: readonly number[],
  places: readonly number[],
): { batch: number; heads: number; count: number; apart: boolean } | undefined {
  const [batch, ...rest] = leadOf(shape, shape.length) as [number, ...number[]];
  const own = places.slice(1);
  const product = (from: number, to?: number): number => elementCount(rest.slice(from, to));
  /** Whether cosines are alike along axes: as many as there are, or one. */
  const alike = (from: number, to: number): boolean => own.slice(from, to).every((size) => size === 1);
  const each = (from: number, to: number): boolean => rest.slice(from, to).every((size, d) => size === own[from + d]);
  const last = rest.length;
  for (const at of [last - 1, ...rest.keys(), last]) {
    if (alike(0, at) && each(at, last)) return { batch, heads: product(0, at), count: product(at), apart: true };
    if (each(0, at) && alike(at, last)) return { batch, heads: product(at), count: product(0, at), apart: false };
  }
  return undefined;
}
