import type { Caps } from '../../gpu/gpu.ts';
import { type Graph, isInput, opOf, type Pass, topological } from '../ir.ts';
import type { ActivationOptions } from './activations.ts';
import { decompose } from './decompose.ts';
import type { Wanted } from './forms.ts';
import { fuseEpilogues } from './fuse.ts';
import type { QuantizeOptions } from './weight_types.ts';

export interface PassOptions extends QuantizeOptions, ActivationOptions {
  /** Names of passes to leave out. */
  without?: readonly PassName[];
  /** `finite`: nothing is fused. An epilogue may make a number of what is none, before it can be looked at. */
  check?: 'finite' | undefined;
  /** The 3×3 convolutions that become Winograd's; by the adapter's class where absent. */
  winograd?: Wanted | undefined;
}

export type PassName = 'fold' | 'fuse' | 'winograd';

/**
 * The passes in their order; groups of ops bring those that know them. Constant folding is none of them: whatever hangs on constants
 * alone is computed once when a session is built, by the same kernels (plan.ts). Dead code is none either: a graph is what hangs on its
 * outputs.
 */
const STAGES = [
  'float16Fallback',
  'weightTypes',
  'fold',
  'decompose',
  'layout',
  'fuse',
  'dequantize',
  'narrowWeights',
  'activations',
  'winograd',
] as const;
type Stage = (typeof STAGES)[number];

/** Stages that run only where a graph, or what is asked for it, has small numbers. */
const SMALL: readonly Stage[] = ['float16Fallback', 'weightTypes', 'dequantize', 'narrowWeights', 'activations'];

/** Makes the pass of a stage for a device; without `caps`, one that suits any. */
export type PassMaker = (options: PassOptions, caps: Caps | undefined) => Pass;
export type Passes = Partial<Record<Stage, PassMaker>>;

const makers: Passes = { decompose: () => decompose, fuse: () => fuseEpilogues };

/** Adds the passes of a group. */
export const addPasses = (passes: Passes): void => void Object.assign(makers, passes);

/** What a graph becomes before it is planned. The groups of its ops have to be loaded (graph/groups). */
export function optimise(graph: Graph, options: PassOptions = {}, caps?: Caps): Graph {
  const without: readonly string[] = [...(options.without ?? []), ...(options.check ? ['fuse'] : [])];
  const small = needsSmall(graph, options, caps);
  const { outputs } = STAGES.filter((stage) => (small || !SMALL.includes(stage)) && !without.includes(stage)).reduce(
    (current, stage) => makers[stage]?.(options, caps)(current) ?? current,
    graph,
  );
  return { outputs, inputs: topological(graph).filter(isInput) };
}

/** Whether a graph, or what is asked for it, needs the group `quantized`: small weights, integers, float16 where the device has none. */
export const needsSmall = (graph: Graph, { weights = 'float32' }: PassOptions, caps: Caps | undefined): boolean =>
  weights !== 'float32' ||
  topological(graph).some((node) => opOf(node).quantizes || (node.dataType === 'float16' && caps?.f16 === false));
