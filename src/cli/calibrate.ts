import { readFile } from 'node:fs/promises';
import type { Calibration } from '../graph/passes/activations.ts';
import { type CommandContext, follow } from './commands/context.ts';
import { openDataset } from './datasets.ts';
import { mustExist } from './files.ts';
import type { PictureArgs } from './jobs/pictures.ts';
import { labelledBatches } from './labelled-batches.ts';
import type { Runtime } from './runtime.ts';

/** What the scales of a model's activations are taken from. */
export interface Samples {
  /** A set of pictures, or a text. */
  readonly path: string;
  readonly text: boolean;
  readonly percentile?: number | undefined;
}

/** Pictures that say enough of a network's activations. */
const MOST_SAMPLES = 256;

/** The scales of the inputs of a model's layers over samples. */
export async function calibrationOver(
  { path, text, percentile }: Samples,
  args: PictureArgs,
  runtime: Runtime,
  context: CommandContext,
): Promise<Calibration> {
  await mustExist(path);
  async function* pictures(): AsyncGenerator<Uint8Array> {
    const dataset = await openDataset(path, undefined, { limit: MOST_SAMPLES });
    yield* labelledBatches(dataset, Number.POSITIVE_INFINITY, 32);
  }
  const lent = text
    ? { text: runtime.lend([new Uint8Array(await readFile(path))]) }
    : { pictures: runtime.lend(pictures()) };
  const asked = { ...args, ...lent, ...(percentile !== undefined && { percentile }) };
  const { signal, terminal } = context;
  const calibration = await runtime.run('calibrate', asked, { signal, onEvent: follow(context, runtime) });
  terminal.bars.clear();
  return calibration;
}
