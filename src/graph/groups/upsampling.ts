/** Kernels take channels last: transposes bring images there. */
export * from '../../ops/groups/upsampling.ts';
export * from './movement.ts';
