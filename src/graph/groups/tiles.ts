/** No op, but kernels of products for GPUs: tiles in workgroup memory. */
export { tiledForms as tiles } from '../../ops/gemm_tiled.ts';

export const ops = {};
export const passes = {};
