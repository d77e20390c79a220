import { constantOf, isConstant, type Operand, operand } from '../graph/ir.ts';
import { permutationOf, transposed } from '../graph/passes/layout.ts';
import { elementCount, sameShape } from '../tensor/types.ts';
import { broadcasts, cutOf } from './cut.ts';
import { elementOf, is, numberOf, optionOf, type Pattern, shaped, sides, unscaled } from './match.ts';

/** Elements of a head at the most: the kernels of GPUs divide it among the invocations of a workgroup. */
const WIDEST = 256;

/**
 * softmax(query · keyᵀ * scale + bias) · value, all of [B, heads, T, D] or [B, T, D]. `masks`: a bias that hides from each
 * query what comes after it is the option `causal`.
 */
export const attended =
  (masks: boolean): Pattern =>
  (node, uses) => {
    const { a: factor, b: value } = node.inputs;
    if (!is(node, 'matmul') || hasEpilogue(node)) return undefined;
    const { weights, blindToZero } = weightsOf(factor!, uses);
    if (!is(weights, 'softmax') || uses(weights) > (blindToZero ? 2 : 1)) return undefined;
    const rank = weights.shape.length;
    const axis = optionOf<number>(weights, 'axis') ?? rank - 1;
    if ((rank !== 4 && rank !== 3) || (axis !== -1 && axis !== rank - 1) || value!.shape.length !== rank)
      return undefined;
    const found = scoresOf(weights.inputs['input']!, weights.shape, uses);
    if (!found) return undefined;
    const { product, biases } = found;
    const left = unscaled(product.inputs['a']!);
    const right = keyOf(product.inputs['b']!, optionOf<boolean>(product, 'transposeB') ?? false);
    if (!right || left.input.shape.length !== rank) return undefined;
    const given = [left.input, right.input, value!].map((one) => (rank === 3 ? own(one) : one));
    const query = given[0]!;
    const shared = given.slice(1).map(unrepeated);
    const [key, values] = shared[0]!.shape[1] === shared[1]!.shape[1] ? shared : given.slice(1);
    const [b, heads, t, headSize] = query.shape as [number, number, number, number];
    const kvHeads = key!.shape[1]!;
    if (heads % kvHeads || headSize > WIDEST) return undefined;
    for (const { shape } of [key!, values!]) if (shape[0] !== b || shape[3] !== headSize) return undefined;
    const rows = [query, key!, values!].map(rowsOf);
    const operands = { query: rows[0]!.input, key: rows[1]!.input, value: rows[2]!.input };
    const scale = found.factor * left.factor * right.factor;
    const columns = rows.map(({ column }) => column);
    const causal = masks && hidesLater(biases, t, key!.shape[2]!);
    const options = {
      heads,
      kvHeads,
      headSize,
      scale,
      ...(causal && t > 1 && { causal }),
      ...(blindToZero && !causal && { blindToZero }),
      ...(columns.some(Boolean) && { columns }),
    };
    const made = operand(
      'attention',
      { ...operands, bias: causal ? undefined : sumOf(biases, rank) },
      options,
      node.label,
    );
    if (made.shape.length === 4) return shaped(made, node.shape);
    const apart = shaped(made, [b, t, heads, headSize]);
    return shaped(operand('transpose', { input: apart }, { permutation: [0, 2, 1, 3] }, node.label), node.shape);
  };

/** The softmax of weights. PyTorch writes where(isNaN(weights), 0, weights): queries that see no key. */
function weightsOf(node: Operand, uses: (input: Operand) => number): { weights: Operand; blindToZero: boolean } {
  const { condition, trueValue, falseValue } = node.inputs;
  const safe =
    is(node, 'where') &&
    uses(node) === 1 &&
    is(condition, 'isNaN') &&
    numberOf(trueValue!) === 0 &&
    condition.inputs['input'] === falseValue;
  return safe ? { weights: falseValue!, blindToZero: true } : { weights: node, blindToZero: false };
}

const hasEpilogue = ({ inputs, options }: Operand): boolean =>
  'bias' in inputs || 'residual' in inputs || 'scales' in inputs || 'activation' in options;

/** What a mask adds to scores. */
type Bias = Operand;

/** The product under scores, what it is multiplied with, and what is added after that. */
function scoresOf(
  scores: Operand,
  shape: readonly number[],
  uses: (input: Operand) => number,
): { product: Operand; factor: number; biases: readonly Bias[] } | undefined {
  const biases: Bias[] = [];
  let node = scores;
  for (;;) {
    if (uses(node) > 1) return undefined; // somebody wants the scores
    const masked = unmasked(node, shape);
    if (!masked) break;
    biases.push(masked.bias);
    node = masked.input;
  }
  const { input: product, factor } = unscaled(node);
  if (!is(product, 'matmul') || hasEpilogue(product) || uses(product) > 1) return undefined;
  return sameShape(product.shape, shape) ? { product, factor, biases } : undefined;
}

/** Scores without what is added to them last, or without the numbers that a condition puts in their place. */
function unmasked(node: Operand, shape: readonly number[]): { input: Operand; bias: Bias } | undefined {
  if (is(node, 'add')) {
    for (const [input, bias] of sides(node))
      if (sameShape(input.shape, shape) && isScores(input) && broadcasts(bias, shape)) return { input, bias };
    return undefined;
  }
  if (!is(node, 'where')) return undefined;
  const { condition, trueValue, falseValue } = node.inputs as Record<string, Operand>;
  for (const [input, other, hides] of [
    [trueValue!, falseValue!, false],
    [falseValue!, trueValue!, true],
  ] as const) {
    const low = numberOf(other);
    if (low === undefined || !(low <= LOW) || !sameShape(input.shape, shape) || !broadcasts(condition!, shape))
      continue;
    const [zero, lowest] = [0, low].map((value) => constantOf(input.dataType, [], [value]));
    const [yes, no] = hides ? [lowest, zero] : [zero, lowest];
    const bias = operand('where', { condition: condition!, trueValue: yes!, falseValue: no! }, {}, node.label);
    return { input, bias };
  }
  return undefined;
}

/** Scores beside it are lost in rounding, so that keys that are all hidden stay equal. */
const LOW = -1e20;

/** Whether an operand may be scores: a product, what it is multiplied with, and a few masks of it. */
function isScores(node: Operand, depth = 8): boolean {
  const { a, b, trueValue, falseValue } = node.inputs;
  if (is(node, 'matmul')) return !node.constant;
  return depth > 0 && [a, b, trueValue, falseValue].some((one) => one && !isConstant(one) && isScores(one, depth - 1));
}

/** Whether all that is added to scores hides from each query the keys after its own: the last query sees all. */
function hidesLater([bias, ...others]: readonly Bias[], queries: number, keys: number): boolean {
  if (!bias || others.length || queries > keys || elementCount(bias.shape) !== queries * keys) return false;
  const at = numbersOf(bias);
  if (!at) return false;
  return Array.from({ length: queries * keys }, (_, i) => {
    const isLater = i % keys > Math.floor(i / keys) + keys - queries;
    return isLater ? at(i) <= LOW : at(i) === 0;
  }).every(Boolean);
}

/** The numbers of a constant, or of two numbers that a constant chooses from. */
function numbersOf(node: Operand): ((i: number) => number) | undefined {
  if (is(node, 'reshape')) return numbersOf(node.inputs['input']!);
  const { condition, trueValue, falseValue } = node.inputs;
  if (is(node, 'where')) {
    const [yes, no] = [numberOf(trueValue!), numberOf(falseValue!)];
    const chosen = numbersOf(condition!);
    return chosen && yes !== undefined && no !== undefined ? (i) => (chosen(i) ? yes : no) : undefined;
  }
  return isConstant(node) && optionOf(node, 'data') ? (i) => elementOf(node, i)! : undefined;
}

/** The sum of biases as [1 or B, 1 or heads, 1 or T, 1 or keys]. */
function sumOf(biases: readonly Bias[], rank: number): Operand | undefined {
  const [first, ...rest] = biases;
  if (!first) return undefined;
  const sum = rest.reduce((a, b) => operand('add', { a, b }), first);
  const ranked = shaped(sum, [...Array.from({ length: rank - sum.shape.length }, () => 1), ...sum.shape]);
  return rank === 3 ? own(ranked) : ranked;
}

/** [B, T, D] as [B, 1, T, D]. */
const own = (input: Operand): Operand => shaped(input, [input.shape[0]!, 1, ...input.shape.slice(1)]);

/** The key of a factor [.., D, keys], or [.., keys, D] where the product turns it. Undefined where it is not one turned. */
function keyOf(factor: Operand, turned: boolean): { input: Operand; factor: number } | undefined {
  const outer = unscaled(factor);
  const lead = factor.shape.slice(0, -2);
  if (turned) return outer;
  const matrices = sameMatrices(outer.input);
  const rank = matrices.shape.length;
  if (!is(matrices, 'transpose')) return undefined;
  const swap = [...Array.from({ length: rank - 2 }, (_, d) => d), rank - 1, rank - 2];
  const inner = unscaled(transposed(matrices, swap));
  return { input: shaped(inner.input, [...lead, ...inner.input.shape.slice(-2)]), factor: outer.factor * inner.factor };
}

/** An operand before its axes but the last two were reshaped. */
function sameMatrices(node: Operand): Operand {
  let input = node;
  while (is(input, 'reshape') && sameShape(input.inputs['input']!.shape.slice(-2), node.shape.slice(-2)))
    input = input.inputs['input']!;
  return input;
}

/** Heads before each was repeated for several heads of queries. */
function unrepeated(node: Operand): Operand {
  const spread = is(node, 'reshape') ? node.inputs['input']! : undefined;
  if (!is(spread, 'expand') || spread.shape.length !== 5) return node;
  const each = spread.inputs['input']!;
  const [b, heads, count, t, d] = spread.shape as [number, number, number, number, number];
  const repeats = sameShape(each.shape, [b, heads, 1, t, d]) && sameShape(node.shape, [b, heads * count, t, d]);
  return repeats ? shaped(each, [b, heads, t, d]) : node;
}

/**
 * [B, heads, T, D] that was [B, T, heads, D] as rows, [B, T, heads · D], or as columns of wider rows that they were cut
 * from. Others stay.
 */
export function rowsOf(node: Operand): { input: Operand; column: number } {
  if (!is(node, 'transpose') || !sameShape(permutationOf(node), [0, 2, 1, 3])) return { input: node, column: 0 };
  const [b, t, heads, d] = node.inputs['input']!.shape as [number, number, number, number];
  return columnsOf(shaped(node.inputs['input']!, [b, t, heads * d]));
}

/** Rows, [B, T, width], as columns of wider rows that they were cut from. Others stay. */
export function columnsOf(rows: Operand): { input: Operand; column: number } {
  const cut = cutOf(rows);
  const isColumns = cut?.axis === 2 && cut.step === 1 && [rows, cut.input].every(({ shape }) => shape.length === 3);
  return isColumns ? { input: cut.input, column: cut.start } : { input: rows, column: 0 };
}
