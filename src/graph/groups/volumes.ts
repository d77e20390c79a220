/** Volumes are images, layer by layer: the group has the ops of those too. */
export * from '../../ops/groups/join.ts';
export * from '../../ops/groups/volumes.ts';
export * from './image.ts';
