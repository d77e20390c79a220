import type { EncoderFamily, HeadTask } from './shape.ts';

/** A label with its probability. */
export interface TextLabel {
  readonly index: number;
  readonly label: string;
  readonly score: number;
}

/** The labels of a head: `id2label` of the config, else `LABEL_0`... */
export function labelsOf({ config, heads, weights }: EncoderFamily, task: HeadTask): string[] {
  const { weight } = heads[task].at(-1)!;
  const [count] = weights.at('').get(`${weight}.weight`, [-1, -1]).shape as [number];
  const said = config.get<Readonly<Record<string, unknown>>>('id2label', {});
  const named = Object.keys(said).length;
  if (named && named !== count) config.fail(`id2label: expected ${count} labels, as the classifier has, got ${named}`);
  return Array.from({ length: count }, (_, i) => String(said[i] ?? `LABEL_${i}`));
}

/** Probabilities of one row of logits. */
export function softmax(logits: Float32Array): Float32Array {
  const top = Math.max(...logits);
  const powers = logits.map((x) => Math.exp(x - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
