import { resolveModel } from '../files.ts';
import { table } from '../table.ts';
import { type CommandContext, follow, loadArgs, type ModelOptions, withRuntime } from './context.ts';
import { textsOf } from './embed.ts';

export interface SearchOptions extends ModelOptions {
  /** A file with a text a line. */
  readonly texts: string;
  readonly topK: number;
  readonly truncate?: boolean;
}

/** The lines of a file that mean what queries ask. */
export async function search(
  model: string,
  queries: readonly string[],
  { texts: file, topK, truncate, ...options }: SearchOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, signal } = context;
  const [source, texts] = await Promise.all([resolveModel(model), textsOf([], file)]);
  await withRuntime(context, async (runtime) => {
    const args = {
      ...{ model: await runtime.model(source), load: loadArgs(options), queries, texts, topK },
      ...(truncate && { truncate }),
    };
    const found = await runtime.run('search', args, { signal, onEvent: follow(context, runtime) });
    terminal.bars.clear();
    const columns = [
      { title: 'cosine', right: true },
      { title: 'line', right: true },
      { title: 'text', elastic: true },
    ];
    for (const { query, texts: hits } of found) {
      if (found.length > 1) terminal.print(terminal.paint('bold', query));
      const rows = hits.map(({ id, score, text }) => [score.toFixed(3), String(id + 1), text]);
      for (const line of table(columns, rows, { heading: (text) => terminal.paint('bold', text) }))
        terminal.print(line);
    }
    terminal.result(found);
  });
}
