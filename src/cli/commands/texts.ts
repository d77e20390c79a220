import { readText, resolveModel } from '../files.ts';
import type { ModelArgs } from '../jobs/load.ts';
import type { ArgsOf, ResultOf } from '../jobs.ts';
import { type CommandContext, follow, loadArgs, type ModelOptions, withRuntime } from './context.ts';

/** What commands that read texts are told. */
export interface TextsOptions extends ModelOptions {
  /** A file with a text a line. */
  readonly texts?: string;
  readonly truncate?: boolean;
}

interface TextsArgs extends ModelArgs {
  readonly texts: readonly string[];
  readonly truncate?: boolean;
}

/** Jobs that read texts. */
type TextsJob = 'embed' | 'readTexts' | 'search';

/** Has a job read texts, those given and the lines of a file; `more`: what it is told besides, where it is said. Error: `not-found`. */
export async function onTexts<Name extends TextsJob>(
  job: Name,
  model: string,
  given: readonly string[],
  { texts: file, truncate, ...options }: TextsOptions,
  more: { readonly [Key in Exclude<keyof ArgsOf<Name>, keyof TextsArgs>]: ArgsOf<Name>[Key] | undefined },
  context: CommandContext,
): Promise<{ readonly texts: readonly string[]; readonly result: ResultOf<Name> }> {
  const { terminal, signal } = context;
  const source = await resolveModel(model);
  const lines = file === undefined ? [] : (await readText(file)).split(/\r?\n/).filter(Boolean);
  const texts = [...given, ...lines];
  return withRuntime(context, async (runtime) => {
    const all = { model: await runtime.model(source), load: loadArgs(options), texts, truncate, ...more };
    const said = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    const how = { signal, onEvent: follow(context, runtime) };
    const result = await runtime.run(job, said as unknown as ArgsOf<Name>, how);
    terminal.bars.clear();
    return { texts, result };
  });
}
