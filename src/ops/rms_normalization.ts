import affine from '../../shaders/lib/affine_scale.wgsl';
import { part } from '../gpu/wgsl.ts';
import { elementCount } from '../tensor/types.ts';
import { AS_INPUT, defineOp, FLOAT, type Labelled, type Operand } from './define.ts';
import {
  checkedAxes,
  type LayerNormalizationOptions,
  lineNormalization,
  overLastAxes,
  unitOf,
} from './layer_normalization.ts';

type RmsNormalization = (
  input: Operand,
  options?: { scale?: Operand } & LayerNormalizationOptions & Labelled,
) => Operand;

/** rmsNormalization: x / sqrt(mean(x²) + epsilon) * scale, the mean over `axes` (all but the first). */
export const rmsNormalization = defineOp<LayerNormalizationOptions, RmsNormalization>({
  name: 'rmsNormalization',
  operands: { input: FLOAT, scale: AS_INPUT },
  options: ['axes', 'epsilon'],
  infer(inputs, options) {
    checkedAxes('rmsNormalization', inputs, options, ['scale']);
    return inputs['input']!;
  },
  candidates(inputs, options, output, caps) {
    const axes = checkedAxes('rmsNormalization', inputs, options, []);
    const size = axes.reduce((product, axis) => product * output.shape[axis]!, 1);
    const scaled = part(affine, inputs['scale'] ? unitOf(size) : 'none');
    return lineNormalization('rmsNormalization', scaled, false, size, options.epsilon ?? 1e-5, output, caps);
  },
  decompose(inputs, options, rewriter) {
    const axes = checkedAxes('rmsNormalization', inputs, options, []);
    return overLastAxes('rmsNormalization', inputs, axes, options, rewriter);
  },
  cost: (_inputs, _options, { shape }) => ({ macs: 0, flops: 5 * elementCount(shape) }),
});
