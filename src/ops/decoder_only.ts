import gemvGated from '../../shaders/gemv_gated.wgsl';
import type { LateKernels } from './late_kernels.ts';

export const kernels: Pick<LateKernels, 'gemvGated'> = { gemvGated };
