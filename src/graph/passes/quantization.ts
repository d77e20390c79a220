import type { Caps } from '../../gpu/gpu.ts';
import type { Pass } from '../ir.ts';
import { fuseDequantize } from './dequantize.ts';
import { toFloat32 } from './half.ts';
import { narrowWeights, type QuantizeOptions, quantizeWeights } from './quantize.ts';

/** The passes of quantisation, and of float16 without shader-f16, loaded where a graph asks for them: before all others, and after fusion. */
export interface Quantization {
  readonly before: readonly Pass[];
  readonly after: readonly Pass[];
}

export const quantization = (options: QuantizeOptions, { f16 }: Pick<Caps, 'f16'> = { f16: true }): Quantization => ({
  before: [...(f16 ? [] : [toFloat32]), quantizeWeights(options)],
  after: [fuseDequantize, narrowWeights(options)],
});
