/** No op, but kernels of products by subgroup matrices. */
export { matrixForms as tiles } from '../../ops/gemm_matrix.ts';
