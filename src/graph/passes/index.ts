import type { Caps } from '../../gpu/gpu.ts';
import { type Graph, isInput, opOf, type Pass, topological } from '../ir.ts';
import type { ActivationOptions } from './activations.ts';
import { decompose } from './decompose.ts';
import type { Wanted } from './forms.ts';
import { fuseEpilogues } from './fuse.ts';
import type { QuantizeOptions } from './weight_types.ts';

export interface PassOptions extends QuantizeOptions, ActivationOptions {
  /** Names of passes to leave out. @internal */
  without?: readonly PassName[];
  /** `finite`: nothing is fused. An epilogue could turn NaN into a number before the check sees it. */
  check?: 'finite' | undefined;
  /** Decides which 3×3 convolutions become Winograd's; by the table of the adapter's class where absent. @internal */
  winograd?: Wanted | undefined;
}

export type PassName = 'fold' | 'fuse' | 'winograd';

/**
 * The stages in order. Groups of ops bring the passes. There is no constant folding: constants are computed at load by
 * the same kernels (plan.ts). There is no dead code: a graph has only nodes that its outputs depend on.
 */
const STAGES = [
  'float16Fallback',
  'weightTypes',
  'fold',
  'foldNumbers',
  'decompose',
  'layout',
  'fuse',
  'fuseNumbers',
  'dequantize',
  'narrowWeights',
  'activations',
  'fuseRow',
  'winograd',
] as const;
type Stage = (typeof STAGES)[number];

/** Stages that run only where `needsSmall` says so. */
const SMALL: readonly Stage[] = ['float16Fallback', 'weightTypes', 'dequantize', 'narrowWeights', 'activations'];

/** Makes the pass of a stage for a device; without `caps` for any. */
export type PassMaker = (options: PassOptions, caps: Caps | undefined) => Pass;
export type Passes = Partial<Record<Stage, PassMaker>>;

const makers: Passes = { decompose: () => decompose, fuse: () => fuseEpilogues };

/** Adds the passes of a group. */
export const addPasses = (passes: Passes): void => void Object.assign(makers, passes);

/** Runs the passes. Error: `OpNotLoaded` where a group is missing (graph/groups). */
export function optimise(graph: Graph, options: PassOptions = {}, caps?: Caps): Graph {
  const without: readonly string[] = [...(options.without ?? []), ...(options.check ? ['fuse'] : [])];
  const small = needsSmall(graph, options, caps);
  const { outputs } = STAGES.filter(
    (stage) => (small || !SMALL.includes(stage)) && !without.some((name) => stage.startsWith(name)),
  ).reduce((current, stage) => makers[stage]?.(options, caps)(current) ?? current, graph);
  return { outputs, inputs: topological(graph).filter(isInput) };
}

/** Whether a build needs the group `quantized`: small weights, ops on integers, float16 where the device has none. */
export const needsSmall = (graph: Graph, { weights = 'float32' }: PassOptions, caps: Caps | undefined): boolean =>
  weights !== 'float32' ||
  topological(graph).some((node) => opOf(node).quantizes || (node.dataType === 'float16' && caps?.f16 === false));
