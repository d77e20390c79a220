import type { Profile } from '../../profile/profile.ts';
import type { Job } from './job.ts';
import { graphsOf, loadModel, type ModelArgs } from './load.ts';

export interface ProfileArgs extends ModelArgs {
  /** All of the model's where absent. */
  readonly plan?: string;
}

/** What the kernels of each plan cost. */
export const profile: Job<ProfileArgs, Profile[]> = async ({ plan, ...args }, context) => {
  const { emit, signal } = context;
  const model = await loadModel(args, context);
  const known = Object.keys(graphsOf(model));
  const plans = plan === undefined ? known : [plan];
  const profiles: Profile[] = [];
  for (const name of plans) {
    emit({ type: 'done', done: profiles.length, total: plans.length, label: `profiling ${name}` });
    profiles.push(await model.profile({ plan: name, signal }));
  }
  return profiles;
};
