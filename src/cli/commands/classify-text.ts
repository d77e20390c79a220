import { resolveModel } from '../files.ts';
import { percent } from '../format.ts';
import { type CommandContext, follow, loadArgs, type ModelOptions, withRuntime } from './context.ts';
import { textsOf } from './embed.ts';

export interface ClassifyTextOptions extends ModelOptions {
  /** A file with a text a line. */
  readonly texts?: string;
  readonly pair?: string;
  readonly topK?: number;
  readonly truncate?: boolean;
}

/** What a model says of texts: labels, labelled words, answers or what may stand in gaps, by its task. */
export async function classifyText(
  model: string,
  given: readonly string[],
  { texts: file, pair, topK, truncate, ...options }: ClassifyTextOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, signal } = context;
  const [source, texts] = await Promise.all([resolveModel(model), textsOf(given, file)]);
  await withRuntime(context, async (runtime) => {
    const args = {
      ...{ model: await runtime.model(source), load: loadArgs(options), texts },
      ...(pair !== undefined && { pair }),
      ...(topK !== undefined && { topK }),
      ...(truncate && { truncate }),
    };
    const read = await runtime.run('readTexts', args, { signal, onEvent: follow(context, runtime) });
    terminal.bars.clear();
    for (const { text, labels } of read) {
      terminal.print(terminal.paint('bold', text));
      if (!labels.length) terminal.print('  nothing');
      for (const { label, score } of labels) terminal.print(`  ${percent(score, 1).padStart(6)}  ${label}`);
    }
    terminal.result(read);
  });
}
