export * as ops from '../../ops/groups/text.ts';

export const passes = {};
