import { bytes, count, scaled } from '../format.ts';
import type { JobEvent, ModelCard } from '../jobs/job.ts';
import type { LoadArgs } from '../jobs/load.ts';
import { openRuntime } from '../open-runtime.ts';
import type { Runtime, RuntimeName } from '../runtime.ts';
import type { Terminal } from '../terminal.ts';

/** What every command is given besides its own arguments. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly runtime: RuntimeName;
}

/** What commands on a model are told of how it is loaded. */
export interface ModelOptions extends Pick<LoadArgs, 'dtype' | 'groupSize' | 'dims'> {}

/** How the model is loaded, out of a command's options. */
export const loadArgs = ({ dtype, groupSize, dims }: ModelOptions): LoadArgs => ({
  ...(dtype && { dtype }),
  ...(groupSize && { groupSize }),
  ...(dims && { dims }),
});

/** Opens the runtime that was asked for, and closes it when the work is done, however it ends. */
export async function withRuntime<T>(
  { runtime: name, signal, terminal }: CommandContext,
  work: (runtime: Runtime) => Promise<T>,
): Promise<T> {
  await terminal.bars.ready();
  const runtime = await openRuntime(name, signal);
  try {
    return await work(runtime);
  } finally {
    terminal.bars.clear();
    await runtime.close();
  }
}

/** Shows what a job tells: the adapter and the model in a line each, progress as bars. `more` sees every event too. */
export function follow(
  { terminal }: CommandContext,
  runtime: Runtime,
  more: (event: JobEvent) => void = () => {},
): (event: JobEvent) => void {
  return (event) => {
    if (event.type === 'adapter')
      terminal.note(terminal.paintNote('dim', `adapter  ${event.name}, ${runtime.description}`));
    if (event.type === 'loaded') terminal.note(terminal.paintNote('dim', `model    ${describe(event.model)}`));
    showProgress(terminal, event);
    more(event);
  };
}

/** Moves the bars. */
export function showProgress({ bars }: Terminal, event: JobEvent): void {
  if (event.type === 'progress') {
    const { phase, loaded, total, label } = event.progress;
    bars.update(phase, loaded, total, label);
  }
  if (event.type === 'done' && event.total !== undefined) bars.update('work', event.done, event.total, event.label);
}

/** What the multiply-accumulates of a model are counted for. */
const UNITS: Readonly<Record<ModelCard['task'], string>> = {
  'automatic-speech-recognition': 'a token',
  'image-classification': 'a picture',
  'text-generation': 'a token',
  'feature-extraction': 'a token',
  'text-classification': 'a token',
  'token-classification': 'a token',
  'question-answering': 'a token',
  'fill-mask': 'a token',
  'text2text-generation': 'a token',
  graph: 'a run',
};

/** `resnet20, float32, 272,474 parameters, 40.8 MMAC an image, weights 1.1 MB (file), 1.1 MB (device)`. */
function describe({ architecture, dtype, parameters, macs, weightBytes, task }: ModelCard): string {
  return [
    architecture,
    dtype,
    count(parameters, 'parameter'),
    ...(macs ? [`${scaled(macs)}MAC ${UNITS[task]}`] : []), // not known of a graph without its dimensions,
    `weights ${bytes(weightBytes.file)} in the file, ${bytes(weightBytes.device)} on the device`,
  ].join(', ');
}
