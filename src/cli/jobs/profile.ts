import { TilewrightError } from '../../errors.ts';
import type { ModelSummary } from '../../models/summary.ts';
import type { Profile } from '../../profile/profile.ts';
import type { Ceilings } from '../../profile/roof.ts';
import type { Job } from './job.ts';
import { graphsOf, loadModel, type ModelArgs, openEngine } from './load.ts';

export interface ProfileArgs extends ModelArgs {
  /** All of the model's where absent. */
  readonly plan?: string;
  /** Rounds of each plan. */
  readonly rounds?: number;
  /** Measures what the adapter can do at most, too: rows are held against it. */
  readonly roofs?: boolean;
  /** For a trace, which has one plan. */
  readonly traced?: boolean;
}

export interface Profiled {
  readonly profile: Profile;
  readonly summary: ModelSummary;
}

/** What the kernels of each plan cost, and what its layers are. Error: `invalid-argument` for a trace of several. */
export const profile: Job<ProfileArgs, Profiled[]> = async ({ plan, rounds, roofs, traced, ...args }, context) => {
  const { emit, signal } = context;
  const model = await loadModel(args, context);
  const known = Object.keys(graphsOf(model));
  const plans = plan === undefined ? known : [plan];
  if (traced && plans.length > 1)
    throw new TilewrightError('invalid-argument', `--trace: a trace has one plan, this model has ${plans.length}`, {
      hint: `Give --plan ${plans.join(' or ')}.`,
    });
  let ceilings: Ceilings | undefined;
  if (roofs) {
    emit({ type: 'done', done: 0, total: plans.length, label: 'measuring the roofs' });
    const { measureCeilings } = await import('../../../bench/ceilings.ts');
    const { gpu } = await openEngine(context);
    ceilings = await measureCeilings(gpu, { leastMs: gpu.card.software ? 30 : 10, samples: 3, signal });
  }
  const profiles: Profiled[] = [];
  for (const name of plans) {
    emit({ type: 'done', done: profiles.length, total: plans.length, label: `profiling ${name}` });
    const how = { plan: name, signal, ...(rounds && { rounds }), ...(ceilings && { ceilings }) };
    profiles.push({ profile: await model.profile(how), summary: await model.summary({ plan: name }) });
  }
  return profiles;
};
