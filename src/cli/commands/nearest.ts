import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { VectorDataType } from '../../vectors/table.ts';
import { resolveModel } from '../files.ts';
import { count } from '../format.ts';
import { table } from '../table.ts';
import { type CommandContext, follow, withRuntime } from './context.ts';

export interface NearestOptions {
  readonly without?: readonly string[];
  readonly topK: number;
  readonly dtype?: VectorDataType;
}

/** The words of a file of word vectors that are nearest to a word, or to a sum of words. */
export async function nearest(
  file: string,
  words: readonly string[],
  { without = [], topK, dtype }: NearestOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, signal } = context;
  const source = await resolveModel(file);
  const isFile = await stat(source).then(
    (found) => found.isFile(),
    () => false, // an address
  );
  await withRuntime(context, async (runtime) => {
    const args = {
      source: isFile ? { lent: runtime.lend(createReadStream(source)) } : { address: await runtime.model(source) },
      words: { positive: words, negative: without },
      topK,
      ...(dtype && { dtype }),
    };
    const found = await runtime.run('nearest', args, { signal, onEvent: follow(context, runtime) });
    terminal.note(terminal.paintNote('dim', `${count(found.size, 'word')} of ${count(found.dimension, 'number')}`));
    const rows = found.nearest.map(({ word, score }) => [word, score.toFixed(4)]);
    const columns = [
      { title: 'word', elastic: true },
      { title: 'cosine', right: true },
    ];
    for (const line of table(columns, rows, { heading: (text) => terminal.paint('bold', text) })) terminal.print(line);
    terminal.result(found);
  });
}
