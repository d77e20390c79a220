export * as ops from '../../ops/groups/math.ts';

export const passes = {};
