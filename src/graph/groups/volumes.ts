import * as volumes from '../../ops/groups/volumes.ts';
import * as image from './image.ts';
import * as select from './select.ts';

/** Volumes are images, layer by layer: the group has the ops of those too. */
export const ops: typeof image.ops & typeof select.ops & typeof volumes = { ...image.ops, ...select.ops, ...volumes };

export const passes = image.passes;
