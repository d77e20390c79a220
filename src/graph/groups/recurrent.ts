/** Weights are brought into the order of the kernel by other ops. */
export * from '../../ops/groups/join.ts';
export * from '../../ops/groups/recurrent.ts';
export * from './movement.ts';
