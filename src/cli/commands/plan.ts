import { resolveModel } from '../files.ts';
import { type CommandContext, follow, loadArgs, type ModelOptions, withRuntime } from './context.ts';

export interface PlanOptions extends ModelOptions {
  readonly plan?: string;
}

/** What runs for a model, step by step, and its memory. */
export async function plan(
  model: string,
  { plan: only, ...options }: PlanOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, signal } = context;
  const source = await resolveModel(model);
  await withRuntime(context, async (runtime) => {
    const args = {
      model: await runtime.model(source),
      load: loadArgs(options),
      ...(only !== undefined && { plan: only }),
    };
    const plans = await runtime.run('plan', args, { signal, onEvent: follow(context, runtime) });
    for (const { plan: name, text } of plans) terminal.print(`${terminal.paint('bold', name)}\n${text}\n`);
    terminal.result(plans.map(({ text: _, ...report }) => report));
  });
}
