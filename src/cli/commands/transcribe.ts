import { createReadStream } from 'node:fs';
import type { Segment } from '../../models/seq2seq/whisper/options.ts';
import { mustExist, resolveModel } from '../files.ts';
import type { TranscribeArgs } from '../jobs/transcribe.ts';
import { type CommandContext, follow, loadArgs, type ModelOptions, withRuntime } from './context.ts';

export interface TranscribeCommandOptions extends ModelOptions {
  readonly language?: string;
  readonly task?: 'transcribe' | 'translate';
  /** False: a segment is a window. */
  readonly timestamps: boolean;
}

/** Writes down what is said in a WAV file, a line a segment. */
export async function transcribe(
  model: string,
  file: string,
  { language, task, timestamps, ...options }: TranscribeCommandOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, signal } = context;
  const source = await resolveModel(model);
  await mustExist(file);
  await withRuntime(context, async (runtime) => {
    const onEvent = follow(context, runtime, (event) => {
      if (event.type !== 'part') return;
      const { start, end, text } = event.part as Segment;
      terminal.print(`${terminal.paint('dim', `${clock(start)} - ${clock(end)}`)}  ${text.trim()}`);
    });
    const args: TranscribeArgs = {
      model: await runtime.model(source),
      load: loadArgs(options),
      audio: runtime.lend(createReadStream(file)),
      options: { timestamps, ...(language && { language }), ...(task && { task }) },
    };
    terminal.result({ file, ...(await runtime.run('transcribe', args, { signal, onEvent })) });
  });
}

/** `01:02.50`: minutes and seconds. */
function clock(seconds: number): string {
  const hundredths = Math.round(seconds * 100);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(Math.floor(hundredths / 6000))}:${two(Math.floor(hundredths / 100) % 60)}.${two(hundredths % 100)}`;
}
