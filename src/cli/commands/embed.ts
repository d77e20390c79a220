import { readText, resolveModel } from '../files.ts';
import { count, duration } from '../format.ts';
import { table } from '../table.ts';
import { type CommandContext, follow, loadArgs, type ModelOptions, withRuntime } from './context.ts';

export interface EmbedOptions extends ModelOptions {
  /** A file with a text a line. */
  readonly texts?: string;
  readonly promptName?: string;
  readonly dimensions?: number;
  readonly truncate?: boolean;
}

/** Texts in a table of all against all, at the most. */
const MOST_COMPARED = 8;

/** The texts of a command: those given, and the lines of a file. Error: `not-found`. */
export async function textsOf(given: readonly string[], file: string | undefined): Promise<string[]> {
  const lines = file === undefined ? [] : (await readText(file)).split(/\r?\n/).filter(Boolean);
  return [...given, ...lines];
}

/** Vectors of texts: how near they are to each other, and with --json their numbers. */
export async function embed(
  model: string,
  given: readonly string[],
  { texts: file, promptName, dimensions, truncate, ...options }: EmbedOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, signal } = context;
  const [source, texts] = await Promise.all([resolveModel(model), textsOf(given, file)]);
  await withRuntime(context, async (runtime) => {
    const args = {
      ...{ model: await runtime.model(source), load: loadArgs(options), texts },
      ...(promptName !== undefined && { promptName }),
      ...(dimensions !== undefined && { dimensions }),
      ...(truncate && { truncate }),
    };
    const result = await runtime.run('embed', args, { signal, onEvent: follow(context, runtime) });
    terminal.bars.clear();
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
      for (const line of table(columns, rows, { heading: (text) => terminal.paint('bold', text) }))
        terminal.print(line);
    }
    terminal.result({ ...result, texts });
  });
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b) || 1);
}
