import type { Caps } from '../../gpu/gpu.ts';
import { type Graph, type Pass, topological } from '../ir.ts';
import type { ActivationOptions } from './activations.ts';
import { decompose } from './decompose.ts';
import { foldBatchNormalization } from './fold.ts';
import { fuseEpilogues } from './fuse.ts';
import { toChannelsLast } from './layout.ts';
import type { Quantization } from './quantization.ts';
import type { QuantizeOptions } from './quantize.ts';
import { toWinograd, type Wanted, winogradWins } from './winograd.ts';

export interface PassOptions extends QuantizeOptions, ActivationOptions {
  /** Names of passes to leave out; `decompose` and `layout` cannot be. */
  without?: readonly PassName[];
  /**
   * `finite`: a run fails with `not-finite` where an op produces infinity or NaN, and names it. Slow: for looking for faults. Nothing is fused:
   * an epilogue makes numbers of infinities.
   */
  check?: 'finite' | undefined;
  /** The 3×3 convolutions that become Winograd's; by the adapter's class where absent. */
  winograd?: Wanted | undefined;
}

export type PassName = 'fold' | 'fuse' | 'winograd';

/**
 * The passes in their order. Constant folding is none of them: whatever hangs on constants alone is computed once when
 * a session is built, by the same kernels (plan.ts). Dead code is none either: a graph is what hangs on its outputs.
 * Without `caps` the passes are those that suit any adapter.
 */
export function passes(
  { without = [], winograd, check }: PassOptions = {},
  caps?: Caps,
  { before = [], after = [] }: Partial<Quantization> = {},
): Pass[] {
  const optional = (name: PassName, pass: Pass): Pass[] => (without.includes(name) ? [] : [pass]);
  return [
    ...before,
    ...optional('fold', foldBatchNormalization),
    decompose,
    toChannelsLast,
    ...(check ? [] : optional('fuse', fuseEpilogues)),
    ...after,
    ...optional('winograd', toWinograd(winograd ?? winogradWins(caps), caps)),
  ];
}

export const optimise = (graph: Graph, options: PassOptions = {}, caps?: Caps, extra?: Quantization): Graph =>
  passes(options, caps, extra).reduce((current, pass) => pass(current), graph);

/** Whether a graph, or what is asked for it, needs the passes of quantisation, or those of float16 here. */
export const quantizes = (graph: Graph, { weights = 'float32' }: PassOptions, { f16 }: Caps): boolean =>
  weights !== 'float32' ||
  topological(graph).some(({ op, dataType }) => /uantizeLinear$/.test(op) || (dataType === 'float16' && !f16));
