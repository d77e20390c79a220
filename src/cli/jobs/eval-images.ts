import { TilewrightError, throwIfAborted } from '../../errors.ts';
import { unpackPictures } from '../picture-batch.ts';
import type { Job } from './job.ts';
import { loadScorer, type PictureArgs } from './pictures.ts';
import { rankOf } from './rank.ts';

export interface EvalImagesArgs extends PictureArgs {
  /** Labelled pictures that are lent, a batch a chunk (picture-batch.ts). */
  readonly pictures: string;
}

export interface ImageScore {
  readonly pictures: number;
  /** Pictures whose label is the likeliest, and among the five likeliest. */
  readonly top1: number;
  readonly top5: number;
  /** Pictures by label and likeliest label: [label][answer]. */
  readonly confusion: readonly (readonly number[])[];
  /** From the first batch on. */
  readonly seconds: number;
}

/**
 * Counts right answers over labelled pictures. Batches of one size share a session, so all should have the same but the
 * last. While the GPU works on a batch, the next one is on its way.
 */
export const evalImages: Job<EvalImagesArgs, ImageScore> = async ({ pictures, ...args }, context) => {
  const { emit, signal, read } = context;
  const scorer = await loadScorer(args, context);
  let confusion: number[][] = [];
  let [count, top1, top5] = [0, 0, 0];
  let start: number | undefined;
  let next = read(pictures);
  for (let chunk = await next; chunk; chunk = await next) {
    throwIfAborted(signal, 'the evaluation');
    next = read(pictures);
    next.catch(() => {}); // told at the next turn
    start ??= performance.now();
    const batch = unpackPictures(chunk);
    const images = batch.map(({ picture }) => picture);
    const logits = await scorer.scores(images, signal);
    const classes = logits.length / batch.length;
    if (!confusion.length) confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
    batch.forEach(({ label }, n) => {
      if (label >= classes)
        throw new TilewrightError(
          'invalid-argument',
          `a picture is of class ${label}, the model tells ${classes} apart`,
        );
      const ranked = rankOf(logits.subarray(n * classes, (n + 1) * classes), label);
      if (ranked.rank < 1) top1++;
      if (ranked.rank < 5) top5++;
      confusion[label]![ranked.best]!++;
    });
    count += batch.length;
    emit({ type: 'done', done: count, label: `${((100 * top1) / count).toFixed(1)} % right` });
  }
  return { pictures: count, top1, top5, confusion, seconds: (performance.now() - (start ?? 0)) / 1e3 };
};
