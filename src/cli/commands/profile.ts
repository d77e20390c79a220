import { resolveModel } from '../files.ts';
import { profileLines } from '../profile-table.ts';
import { type CommandContext, follow, loadArgs, type ModelOptions, withRuntime } from './context.ts';

export interface ProfileOptions extends ModelOptions {
  readonly plan?: string;
  /** A row for each dispatch instead of one for each kernel and shape. */
  readonly steps?: boolean;
}

/** What each kernel of a model costs. */
export async function profile(
  model: string,
  { plan, steps = false, ...options }: ProfileOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, signal } = context;
  const source = await resolveModel(model);
  await withRuntime(context, async (runtime) => {
    const args = { model: await runtime.model(source), load: loadArgs(options), ...(plan !== undefined && { plan }) };
    const profiles = await runtime.run('profile', args, { signal, onEvent: follow(context, runtime) });
    for (const one of profiles) {
      for (const line of profileLines(one, { steps, heading: (text) => terminal.paint('bold', text) }))
        terminal.print(line);
      terminal.print();
    }
    terminal.result(profiles);
  });
}
