import type { Prediction } from '../../models/resnet.ts';
import { unpackPictures } from '../picture-batch.ts';
import type { Job } from './job.ts';
import { loadClassifier, type ModelArgs } from './load.ts';

export interface ClassifyArgs extends ModelArgs {
  /** Pictures that are lent, one a chunk (picture-batch.ts). */
  readonly pictures: string;
  readonly topK: number;
}

export interface Classified {
  readonly predictions: readonly Prediction[];
  readonly ms: number;
}

/** The likeliest labels of each picture, told one by one as well. */
export const classify: Job<ClassifyArgs, Classified[]> = async ({ pictures, topK, ...args }, context) => {
  const { emit, read, signal } = context;
  const model = await loadClassifier(args, context);
  const results: Classified[] = [];
  for (let chunk = await read(pictures); chunk; chunk = await read(pictures)) {
    for (const { picture } of unpackPictures(chunk)) {
      const start = performance.now();
      const predictions = await model.classify(picture, { topK, signal });
      const result = { predictions, ms: performance.now() - start };
      emit({ type: 'classified', index: results.length, ...result });
      results.push(result);
    }
  }
  return results;
};
