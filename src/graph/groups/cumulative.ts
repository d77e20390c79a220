export * as ops from '../../ops/groups/cumulative.ts';

export const passes = {};
