import type { Caps } from '../../gpu/gpu.ts';
import { addOps } from '../../ops/index.ts';
import { quantization as quantizationOps } from '../../ops/quantization.ts';
import type { Pass } from '../ir.ts';
import { type ActivationOptions, quantizeActivations } from './activations.ts';
import { fuseDequantize } from './dequantize.ts';
import { toFloat32 } from './half.ts';
import { narrowWeights, type QuantizeOptions, quantizeWeights } from './quantize.ts';

/**
 * The passes of quantisation, and of float16 without shader-f16, loaded where a graph asks for them: before all others, and
 * after fusion. Their ops come with them.
 */
export interface Quantization {
  readonly before: readonly Pass[];
  readonly after: readonly Pass[];
}

export function quantization(options: QuantizeOptions & ActivationOptions, caps?: Caps): Quantization {
  addOps(quantizationOps);
  return {
    before: [...(caps?.f16 === false ? [toFloat32] : []), quantizeWeights(options)],
    after: [fuseDequantize, narrowWeights(options), quantizeActivations(options, caps)],
  };
}
