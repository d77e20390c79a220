import type { Caps } from '../../gpu/gpu.ts';
import type { DataType } from '../../tensor/types.ts';
import type { Graph } from '../ir.ts';
import { type ActivationOptions, quantizeActivations } from './activations.ts';
import { decompose } from './decompose.ts';
import { foldBatchNormalization } from './fold.ts';
import { fuseEpilogues } from './fuse.ts';
import { toChannelsLast } from './layout.ts';
import { quantizeWeights } from './quantize.ts';
import { toWinograd, type Wanted, winogradWins } from './winograd.ts';

/** A pass takes a graph and returns another that computes the same; it changes nothing in place. */
export type Pass = (graph: Graph) => Graph;

export interface PassOptions extends ActivationOptions {
  /** `int8` quantises constant weights; activations keep the type of the graph. */
  weights?: DataType | undefined;
  /** Names of passes to leave out; `decompose` and `layout` cannot be. */
  without?: readonly PassName[];
  /** The 3×3 convolutions that become Winograd's; by the adapter's class where absent. */
  winograd?: Wanted | undefined;
}

export type PassName = 'fold' | 'fuse' | 'winograd';

/**
 * The passes in their order. Constant folding is none of them: whatever hangs on constants alone is computed once when
 * a session is built, by the same kernels (plan.ts). Dead code is none either: a graph is what hangs on its outputs.
 * Without `caps` the passes are those that suit any adapter.
 */
export function passes(options: PassOptions = {}, caps?: Caps): Pass[] {
  const { weights, without = [], winograd } = options;
  const optional = (name: PassName, pass: Pass): Pass[] => (without.includes(name) ? [] : [pass]);
  return [
    ...optional('fold', foldBatchNormalization),
    decompose,
    toChannelsLast,
    ...optional('fuse', fuseEpilogues),
    ...(weights === 'int8' ? [quantizeWeights] : []),
    quantizeActivations(options, caps),
    ...optional('winograd', toWinograd(winograd ?? winogradWins(caps), caps)),
  ];
}

export const optimise = (graph: Graph, options: PassOptions = {}, caps?: Caps): Graph =>
  passes(options, caps).reduce((current, pass) => pass(current), graph);
