import type { GraphBuilder } from '../../graph/builder.ts';
import type { Operand } from '../../graph/ir.ts';
import type { Batch, EncodedText } from './batches.ts';

/** How the rows of a text become one: a weighted sum of them, or the largest of each column. */
export const POOLING = ['cls', 'max', 'mean', 'mean_sqrt_len_tokens', 'weightedmean', 'lasttoken'] as const;
export type Pooling = (typeof POOLING)[number];

/** Is added to what no maximum shall have. */
const BELOW = -1e30;

/**
 * The hidden rows [texts, tokens, width] of each text as one, [texts, modes · width], in float32. Inputs, as `poolingInputs` has them: `weights`,
 * float32 [texts, sums, tokens], and where a mode is the maximum `beyond`, float32 [texts, tokens].
 */
export function pooled(b: GraphBuilder, rows: Operand, modes: readonly Pooling[]): Operand {
  const [texts, tokens, width] = rows.shape as readonly [number, number, number];
  const hidden = rows.dataType === 'float32' ? rows : b.cast(rows, 'float32');
  const sums = modes.filter((mode) => mode !== 'max').length;
  const weights = sums && b.input('weights', { dataType: 'float32', shape: [texts, sums, tokens] });
  const summed = weights && b.matmul(weights, hidden, { label: 'pooling' });
  if (summed && sums === modes.length) return b.reshape(summed, [texts, sums * width]);
  const beyond = b.reshape(b.input('beyond', { dataType: 'float32', shape: [texts, tokens] }), [texts, tokens, 1]);
  let taken = 0;
  const parts = modes.map((mode) =>
    mode === 'max'
      ? b.reduceMax(b.add(hidden, beyond), { axes: [1] })
      : b.reshape(b.slice(summed as Operand, [0, taken++, 0], [texts, 1, width]), [texts, width]),
  );
  return parts.length === 1 ? parts[0]! : b.concat(parts, 1);
}

/** The inputs of `pooled` for a batch. The first `skipped` tokens of a text do not count. */
export function poolingInputs(
  modes: readonly Pooling[],
  all: readonly EncodedText[],
  { tokens, texts, indices }: Batch,
): Readonly<Record<string, Float32Array>> {
  const sums = modes.filter((mode) => mode !== 'max');
  const weights = new Float32Array(texts * sums.length * tokens);
  const beyond = new Float32Array(texts * tokens).fill(BELOW);
  for (const [row, index] of indices.entries()) {
    const { ids, skipped = 0 } = all[index]!;
    const from = Math.min(skipped, ids.length - 1);
    for (const [i, mode] of sums.entries())
      weights.set(weightsOf(mode, from, ids.length), (row * sums.length + i) * tokens + from);
    beyond.fill(0, row * tokens + from, row * tokens + ids.length);
  }
  return { ...(sums.length && { weights }), ...(sums.length < modes.length && { beyond }) };
}

/** The weights of rows `from` to `end` in a sum. */
function weightsOf(mode: Exclude<Pooling, 'max'>, from: number, end: number): number[] {
  const count = end - from;
  const rows = Array.from({ length: count }, (_, i) => i);
  switch (mode) {
    case 'cls':
      return rows.map((i) => Number(i === 0));
    case 'lasttoken':
      return rows.map((i) => Number(i === count - 1));
    case 'mean':
      return rows.map(() => 1 / count);
    case 'mean_sqrt_len_tokens':
      return rows.map(() => 1 / Math.sqrt(count));
    case 'weightedmean': {
      const sum = rows.reduce((all, i) => all + from + i + 1, 0);
      return rows.map((i) => (from + i + 1) / sum);
    }
  }
}
