/** No op, but kernels for adapters that compute on the CPU. */
export { kernels } from '../../ops/software_only.ts';
