import type { Pass } from '../ir.ts';
import { fuseDequantize } from './dequantize.ts';
import { narrowWeights, type QuantizeOptions, quantizeWeights } from './quantize.ts';

/** The passes of quantisation, loaded where weights or a graph ask for them: before all others, and after fusion. */
export interface Quantization {
  readonly before: readonly Pass[];
  readonly after: readonly Pass[];
}

export const quantization = (options: QuantizeOptions): Quantization => ({
  before: [quantizeWeights(options)],
  after: [fuseDequantize, narrowWeights(options)],
});
