/** No op, but kernels for GPUs: products in tiles of workgroup memory, and what else no software adapter needs. */
export { tiledForms as tiles } from '../../ops/gemm_tiled.ts';
export { kernels } from '../../ops/gpu_only.ts';
