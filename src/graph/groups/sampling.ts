export * as ops from '../../ops/groups/sampling.ts';

export const passes = {};
