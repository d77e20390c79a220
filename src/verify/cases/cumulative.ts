import { float32, int32, type OpCase, special, test, uint32, valued } from '../case.ts';

const WAYS = [{}, { exclusive: true }, { reversed: true }, { exclusive: true, reversed: true }];
/** Products of these stay near 1. */
const NEAR_ONE = { low: 0.9, high: 1.1 };

export const cases: readonly OpCase[] = ['cumulativeSum', 'cumulativeProduct'].flatMap((op) => [
  ...WAYS.map((way) => test(op, { input: [3, 7] }, { axis: 1, ...way })),
  test(op, { input: [5, 3, 2] }, { axis: 0, reversed: true }),
  test(op, { input: [2, 5, 3] }, { axis: -2, exclusive: true }),
  test(op, { input: [1] }, { axis: 0 }),
  test(op, { input: [1, 2, 1, 3, 2, 1, 2, 5] }, { axis: 4 }),
  ...WAYS.map((way) => test(op, { input: valued([2, 301], NEAR_ONE) }, { axis: 1, ...way })),
  test(op, { input: valued([2, 37, 3], NEAR_ONE) }, { axis: 1 }),
  test(op, { input: float32([2, 2100], NEAR_ONE) }, { axis: 1 }),
  test(op, { input: float32([3, 1025], NEAR_ONE) }, { axis: 1, exclusive: true, reversed: true }),
  test(op, { input: special(4, 45) }, { axis: 1 }),
  test(op, { input: int32([3, 5]) }, { axis: 1 }),
  test(op, { input: int32([2, 300], { low: -2147483648, high: 2147483647 }) }, { axis: 1, exclusive: true }),
  test(op, { input: uint32([40, 3], { low: 0, high: 4294967295 }) }, { axis: 0, reversed: true }),
]);
