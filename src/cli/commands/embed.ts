import { count, duration } from '../format.ts';
import { table } from '../table.ts';
import type { CommandContext } from './context.ts';
import { onTexts, type TextsOptions } from './texts.ts';

export interface EmbedOptions extends TextsOptions {
  readonly promptName?: string;
  readonly dimensions?: number;
}

/** Texts in a table of all against all, at the most. */
const MOST_COMPARED = 8;

/** Vectors of texts: how near they are to each other, and with --json their numbers. */
export async function embed(
  model: string,
  given: readonly string[],
  { promptName, dimensions, ...options }: EmbedOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const more = { promptName, dimensions };
  const { texts, result } = await onTexts('embed', model, given, options, more, context);
  const { vectors, tokens, seconds, truncated } = result;
  const size = vectors[0]?.length ?? 0;
  terminal.print(
    `${count(texts.length, 'text')}, ${count(tokens, 'token')}, ${size} numbers each, ${duration(seconds)}`,
  );
  for (const index of truncated) terminal.note(`text ${index} was cut`);
  if (texts.length > 1 && texts.length <= MOST_COMPARED) {
    const columns = [{ title: 'cosine', elastic: true }, ...texts.map((_, i) => ({ title: String(i), right: true }))];
    const rows = vectors.map((own, i) => [
      `${i} ${texts[i]}`,
      ...vectors.map((other) => cosine(own, other).toFixed(3)),
    ]);
    for (const line of table(columns, rows, { heading: (text) => terminal.paint('bold', text) })) terminal.print(line);
  }
  terminal.result({ ...result, texts });
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b) || 1);
}
