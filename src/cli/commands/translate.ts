import { resolveModel } from '../files.ts';
import type { TranslateArgs } from '../jobs/translate.ts';
import { type CommandContext, follow, loadArgs, type ModelOptions, withRuntime } from './context.ts';

export interface TranslateCommandOptions extends ModelOptions {
  readonly text: readonly string[];
  readonly beams?: number;
  readonly maxNewTokens?: number;
  /** Whether a text that is too long is cut. */
  readonly truncate?: boolean;
}

/** Writes what a model writes for each text: a translation, a summary. */
export async function translate(
  model: string,
  { text, beams, maxNewTokens, truncate, ...options }: TranslateCommandOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, signal } = context;
  const source = await resolveModel(model);
  await withRuntime(context, async (runtime) => {
    const onEvent = follow(context, runtime, (event) => event.type === 'token' && terminal.write(event.text));
    const args: TranslateArgs = {
      model: await runtime.model(source),
      load: loadArgs(options),
      texts: text,
      options: {
        ...(beams !== undefined && { numBeams: beams }),
        ...(maxNewTokens !== undefined && { maxNewTokens }),
        ...(truncate && { truncate }),
      },
    };
    const written = await runtime.run('translate', args, { signal, onEvent });
    terminal.result(written.map((translation, i) => ({ text: text[i], translation })));
  });
}
