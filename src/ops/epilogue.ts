import epilogueParts from '../../shaders/lib/epilogue.wgsl';
import store from '../../shaders/lib/store.wgsl';
import { part } from '../gpu/wgsl.ts';
import type { Inputs } from './define.ts';
import { type Activation, activationPorts } from './elementwise.ts';
import type { Weights } from './weights.ts';

/** What ends a kernel: scaled (int8, int4), biased, added to the residual, activated, times a factor plus a term, in this order. */
export interface Epilogue {
  readonly bias: boolean;
  readonly residual: boolean;
  readonly activation?: Activation | undefined;
  readonly affine: boolean;
}

/** The epilogue of an op with these inputs. */
export const epilogueOf = ({ bias, residual, affine }: Inputs, activation: Activation | undefined): Epilogue => ({
  bias: Boolean(bias),
  residual: Boolean(residual),
  activation,
  affine: Boolean(affine),
});

/** `bias_gelu`, `bias_residual_relu`, `none`: as labels name it. */
export const epilogueName = ({ bias, residual, activation, affine }: Epilogue): string =>
  [bias && 'bias', residual && 'residual', activation?.name, affine && 'affine'].filter(Boolean).join('_') || 'none';

/** Whether a scale a column ends the kernel. */
const quantized = ({ kind, group }: Weights): boolean => kind.startsWith('q') && !group;

/** The modules that make up `finish`, for outputs in whole vec4 or ragged; `product`: and `finish_row`; `gated`: and `finish_gated`. */
export function epiloguePorts(
  { bias, residual, activation, affine }: Epilogue,
  weights: Weights | 'integer',
  unit: 'vec4' | 'ragged',
  ...product: ('product' | 'gated')[]
) {
  const { ports, constants } = activationPorts(activation ?? { name: 'identity' });
  const scale = weights === 'integer' || quantized(weights);
  const terms = [scale && 'scale', bias && 'bias', residual && 'residual'].filter(Boolean).join('_') || 'none';
  const read = [...(scale ? [`scales_${unit}`] : []), ...(bias || residual ? [unit] : [])];
  return {
    ports: [part(epilogueParts, ...product, terms, affine ? 'affine' : 'plain', ...read), ...ports, part(store, unit)],
    constants,
  };
}
