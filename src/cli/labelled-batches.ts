import { TilewrightError } from '../errors.ts';
import { type Dataset, openDataset } from './datasets.ts';
import type { ModelCard } from './jobs/job.ts';
import { type LabelledPicture, packPictures } from './picture-batch.ts';

/** Values of all pictures of a batch, 3 channels left out: what keeps activations within a GPU's default limits. */
const BATCH_PIXELS = 2 ** 18;
const MOST = 100;

/** How many pictures a batch has where nobody says: 100 of 32x32, 5 of 224x224. */
export function batchSize({ size: [height, width] = [224, 224] }: Pick<ModelCard, 'size'>): number {
  return Math.max(1, Math.min(MOST, Math.floor(BATCH_PIXELS / (height * width))));
}

/**
 * Opens a data set for a model. Where the model names its classes, the set's are matched to them; where not, they are
 * taken in the set's order. Errors: those of `openDataset`; `invalid-argument` for more classes than the model has.
 */
export async function openFor(
  { labels, classes = Number.POSITIVE_INFINITY }: ModelCard,
  path: string,
  limit?: number,
): Promise<Dataset> {
  const dataset = await openDataset(path, labels, limit === undefined ? {} : { limit });
  const got = dataset.labels?.length ?? 0;
  if (got > classes) {
    throw new TilewrightError('invalid-argument', `${path} has ${got} classes, the model tells ${classes} apart`);
  }
  return dataset;
}

/**
 * The pictures of a set, packed in batches of one size, the last with what is left. The next is decoded ahead of its
 * time.
 */
export async function* labelledBatches(dataset: Dataset, classes: number, size: number): AsyncGenerator<Uint8Array> {
  const batches = collect(dataset, classes, size);
  let next = batches.next();
  try {
    for (let batch = await next; !batch.done; batch = await next) {
      next = batches.next();
      next.catch(() => {}); // told at the next turn
      yield packPictures(batch.value);
    }
  } finally {
    await batches.return(undefined);
  }
}

async function* collect(dataset: Dataset, classes: number, size: number): AsyncGenerator<LabelledPicture[], undefined> {
  let batch: LabelledPicture[] = [];
  for await (const { picture, label, name } of dataset) {
    if (label >= classes)
      throw new TilewrightError('invalid-argument', `${name} is of class ${label}, the model tells ${classes} apart`);
    if (batch.push({ picture, label }) < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length) yield batch;
  return undefined;
}
