import type { Calibration } from '../../graph/passes/activations.ts';
import type { Picture } from '../../vision/preprocess.ts';
import { unpackPictures } from '../picture-batch.ts';
import { type Job, readAll } from './job.ts';
import { loadGenerator } from './load.ts';
import { loadScorer, type PictureArgs } from './pictures.ts';

export interface CalibrateArgs extends PictureArgs {
  /** Pictures that are lent, a batch a chunk (picture-batch.ts), or a text in UTF-8: one of them. */
  readonly pictures?: string;
  readonly text?: string;
  readonly percentile?: number;
}

/** Tokens that say enough of a text's activations. */
const MOST_TOKENS = 4096;

/** Scales of the layers' inputs over sample pictures, or the beginning of a text. */
export const calibrate: Job<CalibrateArgs, Calibration> = async ({ pictures, text, percentile, ...args }, context) => {
  const { emit, signal, read } = context;
  const options = {
    signal,
    onSample: (done: number): void => emit({ type: 'done', done, label: 'calibration' }),
    ...(percentile !== undefined && { percentile }),
  };
  if (text !== undefined) {
    const model = await loadGenerator(args, context);
    const ids = model.tokenizer.encode(new TextDecoder().decode(await readAll(context, text)));
    return model.calibrate([ids.slice(0, MOST_TOKENS)], options);
  }
  const scorer = await loadScorer(args, context);
  const samples: Picture[] = [];
  for (let chunk = await read(pictures!); chunk; chunk = await read(pictures!))
    samples.push(...unpackPictures(chunk).map(({ picture }) => picture));
  return scorer.calibrate(samples, options);
};
