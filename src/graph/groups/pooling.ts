import * as pooling from '../../ops/groups/pooling.ts';
import * as movement from './movement.ts';

/** Kernels take channels last: transposes bring images there. */
export const ops: typeof movement.ops & typeof pooling = { ...movement.ops, ...pooling };

export const passes = movement.passes;
