import { table } from '../table.ts';
import type { CommandContext } from './context.ts';
import { onTexts, type TextsOptions } from './texts.ts';

export interface SearchOptions extends TextsOptions {
  readonly topK: number;
}

/** The lines of a file that mean what queries ask. */
export async function search(
  model: string,
  queries: readonly string[],
  { topK, ...options }: SearchOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const { result } = await onTexts('search', model, [], options, { queries, topK }, context);
  const columns = [
    { title: 'cosine', right: true },
    { title: '#', right: true }, // among the lines that are not empty
    { title: 'text', elastic: true },
  ];
  for (const { query, texts: hits } of result) {
    if (result.length > 1) terminal.print(terminal.paint('bold', query));
    const rows = hits.map(({ id, score, text }) => [score.toFixed(3), String(id + 1), text]);
    for (const line of table(columns, rows, { heading: (text) => terminal.paint('bold', text) })) terminal.print(line);
  }
  terminal.result(result);
}
