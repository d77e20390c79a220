import type { Caps } from '../../gpu/gpu.ts';
import { type FoundKernel, findKernel } from '../kernel-search.ts';
import type { Job } from './job.ts';
import { graphsOf, loadModel, type ModelArgs, openEngine } from './load.ts';

export interface KernelArgs {
  readonly label: string;
  readonly model: ModelArgs;
}

/** What a kernel of a model is linked of. Errors: `invalid-argument` for a label that no candidate has. */
export const kernel: Job<KernelArgs, FoundKernel> = async ({ label, model: args }, context) => {
  const model = await loadModel(args, context);
  const plans = Object.entries(graphsOf(model)).map(async ([name, graph]) => ({ name, plan: await model.plan(graph) }));
  return findKernel(label, [plans]);
};

/** What kernels may rely on here. */
export const caps: Job<Record<never, never>, Caps> = async (_, context) => (await openEngine(context)).gpu.caps;
