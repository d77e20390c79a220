/** Kernels take channels last: transposes bring images there. */
export * from '../../ops/groups/pooling.ts';
export * from './movement.ts';
