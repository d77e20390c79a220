import type { TuneRow } from '../../tune/tuner.ts';
import { resolveModel } from '../files.ts';
import { figures } from '../format.ts';
import { table } from '../table.ts';
import { type CommandContext, follow, loadArgs, type ModelOptions, withRuntime } from './context.ts';

export interface TuneOptions extends ModelOptions {
  /** Only the likely candidates, within 2 s of GPU time, as a first load does. */
  readonly fast?: boolean;
}

/** What was measured for each shape of a model, and which kernel won. */
export async function tune(
  model: string,
  { fast = false, ...options }: TuneOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, signal } = context;
  const source = await resolveModel(model);
  await withRuntime(context, async (runtime) => {
    const load = { ...loadArgs(options), tune: fast ? ('fast' as const) : ('full' as const) };
    const args = { model: await runtime.model(source), load };
    const rows = await runtime.run('tune', args, { signal, onEvent: follow(context, runtime) });
    for (const line of tuneLines(rows, (text) => terminal.paint('bold', text))) terminal.print(line);
    terminal.result(rows);
  });
}

/** A block a shape: the table's guess first, then the others with their speed against it; the winner is marked. */
export function tuneLines(rows: readonly TuneRow[], heading: (text: string) => string = (text) => text): string[] {
  const columns = [
    { title: 'where', elastic: true },
    { title: 'n', right: true },
    { title: 'shape', elastic: true },
    { title: '' },
    { title: 'kernel', elastic: true },
    { title: 'ms', right: true },
    { title: 'speed', right: true },
  ];
  const lines = rows.flatMap(({ label, count, shape, candidates, chosen }) =>
    candidates.map(({ label: kernel, ms }, i) => [
      ...(i === 0 ? [label, String(count), shape] : ['', '', '']),
      kernel === chosen ? '>' : '',
      kernel,
      figures(ms),
      (candidates[0]!.ms / ms).toFixed(2),
    ]),
  );
  const changed = rows.filter(({ candidates, chosen }) => candidates[0]!.label !== chosen).length;
  const end = `${rows.length} shapes measured; another kernel than the table's guess (the first of each) won for ${changed}`;
  return [...table(columns, lines, { heading }), end];
}
