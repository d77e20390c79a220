import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { profileDocument } from '../../../examples/shared/profile/document.ts';
import { traceOf } from '../../../examples/shared/profile/trace.ts';
import { resolveModel } from '../files.ts';
import { profileLines } from '../profile-table.ts';
import { type CommandContext, follow, loadArgs, type ModelOptions, withRuntime } from './context.ts';

export interface ProfileOptions extends ModelOptions {
  readonly plan?: string;
  readonly rounds?: number;
  /** A row for each dispatch instead of one for each kernel and shape. */
  readonly steps?: boolean;
  /** Files that are written: a report to look at, a trace for Perfetto, the figures. */
  readonly html?: string;
  readonly trace?: string;
  readonly jsonFile?: string;
}

/** What each kernel of a model costs. Errors: `invalid-argument` for a trace of several plans. */
export async function profile(
  model: string,
  { plan, rounds, steps = false, html, trace, jsonFile, ...options }: ProfileOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, signal } = context;
  const source = await resolveModel(model);
  await withRuntime(context, async (runtime) => {
    const args = {
      ...{
        model: await runtime.model(source),
        load: loadArgs(options),
        roofs: html !== undefined || trace !== undefined,
        traced: trace !== undefined,
      },
      ...(plan !== undefined && { plan }),
      ...(rounds !== undefined && { rounds }),
    };
    const profiled = await runtime.run('profile', args, { signal, onEvent: follow(context, runtime) });
    const profiles = profiled.map(({ profile: one }) => one);
    for (const one of profiles) {
      for (const line of profileLines(one, { steps, heading: (text) => terminal.paint('bold', text) }))
        terminal.print(line);
      terminal.print();
    }
    if (html !== undefined) await writeFile(html, profileDocument(basename(model), profiled));
    if (trace !== undefined) await writeFile(trace, `${JSON.stringify(traceOf(profiles[0]!))}\n`);
    if (jsonFile !== undefined) await writeFile(jsonFile, `${JSON.stringify(profiles, undefined, 1)}\n`);
    terminal.result(profiles);
  });
}
