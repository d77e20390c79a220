export * as ops from '../../ops/groups/select.ts';

export const passes = {};
