import * as upsampling from '../../ops/groups/upsampling.ts';
import type { GroupModule } from '../../ops/index.ts';
import * as movement from './movement.ts';

/** Kernels take channels last: transposes bring images there. */
export const ops: GroupModule = { ...movement.ops, ...upsampling };

export const passes = movement.passes;
