export * as ops from '../../ops/groups/reduce.ts';

export const passes = {};
