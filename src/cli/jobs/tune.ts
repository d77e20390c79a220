import { type TuneRow, Tuner } from '../../tune/tuner.ts';
import type { Job } from './job.ts';
import { graphsOf, loadModel, type ModelArgs, openEngine } from './load.ts';

/** Measures the kernels of a model anew, whatever is remembered; the winners are remembered from then on. */
export const tune: Job<ModelArgs, TuneRow[]> = async (args, context) => {
  const { gpu } = await openEngine(context);
  const tuner = Tuner.on(gpu);
  await tuner.forget();
  const model = await loadModel(args, context);
  graphsOf(model); // one without graphs had nothing to measure
  model.dispose();
  return tuner.rows;
};
