import { quantizeActivations } from '../passes/activations.ts';
import { fuseDequantize } from '../passes/dequantize.ts';
import { toFloat32 } from '../passes/float16_fallback.ts';
import type { Passes } from '../passes/index.ts';
import { narrowWeights, quantizeWeights } from '../passes/weight_types.ts';

export * from '../../ops/groups/quantized.ts';

export const passes: Passes = {
  float16Fallback: (_options, caps) => (caps?.f16 === false ? toFloat32 : (graph) => graph),
  weightTypes: quantizeWeights,
  dequantize: () => fuseDequantize,
  narrowWeights,
  activations: quantizeActivations,
};
