import * as image from '../../ops/groups/image.ts';
import { foldIntoConvolutions } from '../passes/fold.ts';
import type { Passes } from '../passes/index.ts';
import * as movement from './movement.ts';

/** Kernels of images read channels last: the group has the transposes too. */
export const ops: typeof movement.ops & typeof image = { ...movement.ops, ...image };

export const passes: Passes = { ...movement.passes, fold: () => foldIntoConvolutions };
