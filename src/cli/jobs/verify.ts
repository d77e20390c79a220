import type { VerifyReport } from '../../verify/verify.ts';
import type { Job } from './job.ts';
import { graphsOf, loadModel, type ModelArgs, openEngine } from './load.ts';

export interface VerifyArgs {
  /** All ops where absent. */
  readonly model?: ModelArgs;
  readonly all: boolean;
  readonly ops?: readonly string[];
  readonly forget: boolean;
}

/** Checks the kernels of a model, or of all ops; what is wrong is not taken here any more. */
export const verify: Job<VerifyArgs, VerifyReport> = async ({ model: wanted, ...options }, context) => {
  const { emit, signal } = context;
  const model = wanted && (await loadModel(wanted, context));
  if (model) graphsOf(model); // one without graphs has nothing to check
  const engine = await openEngine(context);
  return engine.verify(model, { ...options, signal, onProgress: (progress) => emit({ type: 'progress', progress }) });
};
