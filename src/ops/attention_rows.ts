import { formatShape, stridesOf } from '../tensor/types.ts';
import { type Inputs, opError, type Shape } from './define.ts';

/**
 * Query, key and value are each of one of the forms of ONNX's Attention: [T, heads · headSize] or
 * [B, T, heads · headSize], or [B, heads, T, headSize]. Rows of the first may be wider (packed QKV, a KV cache): then
 * `columns` has the first column of each. The result has the form of the query.
 */
export interface AttentionOptions {
  heads: number;
  /** Heads of key and value, where several heads of the query share one. */
  kvHeads?: number;
  headSize: number;
  /** 1 / sqrt(headSize) where absent. */
  scale?: number;
  causal?: boolean;
  /** How many keys a query sees at the most: those up to its position, itself among them. All where absent. Needs `causal`. */
  window?: number;
  /** Scores become softcap · tanh(score / softcap), before `bias` is added. */
  softcap?: number;
  /** A query that sees no key gives zeros, not NaN. */
  blindToZero?: boolean;
  /** First column of query, key and value in their rows. */
  columns?: readonly [number, number, number];
}

/** Rows of an operand, and the elements from one to the next. `apart`: heads hold rows; else rows hold heads. */
export interface Rows {
  readonly batch: number;
  readonly count: number;
  readonly width: number;
  readonly apart: boolean;
}

function rowsOf(shape: Shape, name: string, heads: number, headSize: number, column: number): Rows {
  const [count, width] = shape.slice(-2) as [number, number];
  const batch = shape.length > 2 ? shape[0]! : 1;
  const apart = shape.length === 4;
  if (apart && (shape[1] !== heads || width !== headSize || column))
    throw opError(
      'wrong-shape',
      'attention',
      `${name} is ${formatShape(shape)}, from column ${column} on, expected [.., ${heads}, .., ${headSize}] from 0 on`,
    );
  const needed = column + heads * headSize;
  if (!apart && width < needed)
    throw opError(
      'wrong-shape',
      'attention',
      `${name} has rows of ${width}, columns up to ${needed} are needed (${formatShape(shape)})`,
    );
  return { batch, count, width, apart };
}

/** What is attended to, and by what. Errors: `wrong-shape`, `invalid-argument`. */
export function sizes(inputs: Inputs, { heads: h, kvHeads = h, headSize, columns = [0, 0, 0] }: AttentionOptions) {
  if (h % kvHeads)
    throw opError('invalid-argument', 'attention', `${h} heads do not share ${kvHeads} heads of key and value evenly`);
  const shapes = ['query', 'key', 'value'].map((name) => inputs[name]!.shape);
  const q = rowsOf(shapes[0]!, 'query', h, headSize, columns[0]);
  const k = rowsOf(shapes[1]!, 'key', kvHeads, headSize, columns[1]);
  const v = rowsOf(shapes[2]!, 'value', kvHeads, headSize, columns[2]);
  if (k.count !== v.count || q.batch !== k.batch || k.batch !== v.batch) {
    throw opError(
      'wrong-shape',
      'attention',
      `query ${formatShape(shapes[0]!)}, key ${formatShape(shapes[1]!)} and value ${formatShape(shapes[2]!)} do not go together`,
    );
  }
  return { q, k, v, kvHeads, columns };
}

/** From one to the next in `bias`: 0 along an axis that repeats. */
export function biasSteps(shape: Shape, heads: number, { q, k }: { q: Rows; k: Rows }) {
  const whole = [q.batch, heads, q.count, k.count];
  if (shape.length !== 4 || shape.some((size, d) => size !== 1 && size !== whole[d]))
    throw opError('wrong-shape', 'attention', `bias is ${formatShape(shape)}, expected [${whole}] or 1 in its place`);
  const [batch, head, row, key] = stridesOf(shape).map((step, d) => (shape[d] === 1 ? 0 : step));
  return { bias_batch: batch!, bias_head: head!, bias_row: row!, bias_key: key! };
}
