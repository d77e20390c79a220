import * as upsampling from '../../ops/groups/upsampling.ts';
import * as movement from './movement.ts';

/** Kernels take channels last: transposes bring images there. */
export const ops: typeof movement.ops & typeof upsampling = { ...movement.ops, ...upsampling };

export const passes = movement.passes;
