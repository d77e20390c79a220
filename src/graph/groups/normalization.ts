export * as ops from '../../ops/groups/normalization.ts';

export const passes = {};
