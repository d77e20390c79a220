import type { ModelReport, Sample } from '../../models/report.ts';
import { unpackPictures } from '../picture-batch.ts';
import type { Job } from './job.ts';
import { loadModel, type ModelArgs } from './load.ts';

export interface ReportArgs extends ModelArgs {
  /** Pictures that are lent (picture-batch.ts). */
  readonly pictures?: string;
  readonly prompts?: readonly string[];
}

/** What the types of a model's weights save and cost. */
export const report: Job<ReportArgs, ModelReport> = async ({ pictures, prompts = [], ...args }, context) => {
  const { emit, signal, read } = context;
  const model = await loadModel(args, context);
  const samples: Sample[] = [...prompts];
  if (pictures !== undefined)
    for (let chunk = await read(pictures); chunk; chunk = await read(pictures))
      samples.push(...unpackPictures(chunk).map(({ picture }) => picture));
  const onLayer = (done: number, total: number, label: string): void => emit({ type: 'done', done, total, label });
  return model.report(samples, { signal, onLayer });
};
