import { TilewrightError } from '../../errors.ts';
import { formatPlan, type Plan, pipelinesOf } from '../../graph/plan.ts';
import { byteLength, formatTensor } from '../../tensor/types.ts';
import type { Job } from './job.ts';
import { graphsOf, loadModel, type ModelArgs } from './load.ts';

export interface PlanArgs extends ModelArgs {
  /** All of the model's where absent. */
  readonly plan?: string;
}

export interface PlannedStep {
  readonly label: string;
  readonly kernel: string;
  /** What it writes: `float32[1,10]`. */
  readonly output: string;
  readonly grid: readonly number[];
  readonly macs: number;
  readonly flops: number;
  readonly bytes: number;
}

export interface PlanReport {
  readonly plan: string;
  /** For people: a line a step, then the memory. */
  readonly text: string;
  readonly steps: readonly PlannedStep[];
  /** What is compiled for the steps, and for those that compute constants at load. */
  readonly pipelines: { readonly run: number; readonly load: number };
  /** Dispatches that only bring axes into another order. */
  readonly transposes: number;
  readonly memory: { readonly slots: readonly number[]; readonly constants: number; readonly states: number };
}

/** What runs for each plan of a model, without running it. Errors: `invalid-argument` for a plan it has not got. */
export const plan: Job<PlanArgs, PlanReport[]> = async ({ plan: only, ...args }, context) => {
  const model = await loadModel(args, context);
  const graphs = Object.entries(graphsOf(model)).filter(([name]) => only === undefined || name === only);
  if (!graphs.length) {
    const known = Object.keys(graphsOf(model)).join(', ');
    throw new TilewrightError('invalid-argument', `there is no plan '${only}' (${known})`);
  }
  return Promise.all(graphs.map(async ([name, graph]) => report(name, await model.plan(graph))));
};

function report(name: string, planned: Plan): PlanReport {
  const bytes = (operands: Iterable<Parameters<typeof byteLength>[0]>): number =>
    [...operands].reduce((sum, operand) => sum + byteLength(operand), 0);
  const transposes = planned.steps.filter(({ node }) => node.op === 'transpose').length;
  return {
    plan: name,
    text: `${formatPlan(planned)}\n${transposes} of the dispatches are transposes`,
    transposes,
    steps: planned.steps.map(({ node, candidate, cost }) => ({
      label: node.label ?? node.op,
      kernel: candidate.label,
      output: formatTensor(node),
      grid: candidate.grid,
      ...cost,
    })),
    pipelines: { run: pipelinesOf(planned.steps), load: pipelinesOf(planned.prepare) },
    memory: {
      slots: planned.slotBytes,
      constants: bytes(planned.constants),
      states: bytes(planned.states.values()),
    },
  };
}
