import { TilewrightError } from '../errors.ts';
import { type Gpu, paddedBytes } from '../gpu/gpu.ts';
import type { NamedOptions } from '../graph/ir.ts';
import type { Plan, Step } from '../graph/plan.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { uniformBytes } from '../runtime/steps.ts';
import { Stores } from '../runtime/stores.ts';
import { byteLength, type TensorDescriptor } from '../tensor/types.ts';

/** Types of weights, from large to small. */
const SMALLER = ['float16', 'int8', 'int4'] as const;

const sizes = (tensors: Iterable<TensorDescriptor>): number =>
  [...tensors].reduce((sum, tensor) => sum + paddedBytes(byteLength(tensor)), 0);

/** Bytes that the stores will hold at the peak with this plan: while its weights come, or when its session is built. */
export async function bytesNeeded(plan: Plan, stores: Stores, { runsAhead = 1 }: SessionOptions = {}): Promise<number> {
  const { tasks, bytes, peakBytes } = await stores.constants.requirements(plan);
  const uniforms = (steps: readonly Step[]): number => uniformBytes(steps.map(({ candidate }) => candidate.variant));
  const states = [...plan.states.values()].filter(({ options }) => !stores.states.has((options as NamedOptions).name));
  const standing =
    bytes +
    sizes(states) +
    stores.arena.growth(plan.slotBytes) +
    sizes(plan.inputs.values()) +
    runsAhead * sizes([...plan.outputs.values()].map(({ operand }) => operand)) +
    uniforms(plan.steps);
  return stores.bytes + Math.max(peakBytes + uniforms(tasks.flatMap(({ steps }) => steps)), standing);
}

/** Error: `limit-exceeded` where a plan needs more than the budget. */
export async function checkBudget(plan: Plan, stores: Stores, budget: number, options: SessionOptions): Promise<void> {
  const needed = await bytesNeeded(plan, stores, options);
  if (needed <= budget) return;
  const held = stores.bytes ? `, ${stores.bytes} of them taken before` : '';
  throw new TilewrightError(
    'limit-exceeded',
    `${options.label ?? 'the session'} takes up to ${needed} bytes of the device${held}; memory.budget is ${budget}`,
    { hint: "Load with dtype: 'int8', take smaller inputs, or allow more." },
  );
}

const inMB = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/**
 * An `out-of-memory` with what was needed, what the engine holds besides, and what the same takes with smaller weights.
 * WebGPU does not tell what is free. `planWith`: the plan with another type of weights, or as it was asked for.
 */
export async function withNeeds(
  { message, cause }: TilewrightError,
  gpu: Gpu,
  planWith: (weights?: (typeof SMALLER)[number]) => Promise<Plan>,
  options: SessionOptions,
): Promise<TilewrightError> {
  const needs = async (weights?: (typeof SMALLER)[number]): Promise<number> =>
    bytesNeeded(await planWith(weights), new Stores(gpu), options);
  const asked = await needs();
  const less: string[] = [];
  for (const type of SMALLER) {
    const bytes = await needs(type);
    if (bytes < asked) less.push(`${inMB(bytes)} as ${type}`);
  }
  const room = less.length ? `With smaller weights (dtype) it takes ${less.join(', ')}.` : 'Take smaller inputs.';
  return new TilewrightError(
    'out-of-memory',
    `${message} (it takes up to ${inMB(asked)} of the device, where this engine holds ${inMB(gpu.counters.bytes)} besides)`,
    { hint: `${room} Dispose of models that are not used, or close other tabs.`, cause },
  );
}
